"use strict";

// What comes over the socket is shown as text, never as HTML: the chat escapes nothing.

const MOST_LINES = 500;
const FIRST = 1; // seconds, the longest that the first wait may be; it doubles up to MOST (see labkit/parties/backoff.py)
const MOST = 30;

const find = (id) => document.getElementById(id);
const [state, log, enter, name, speak, text] = ["state", "log", "enter", "name", "speak", "text"].map(find);
const room = location.pathname;

let socket = null;
let inside = false; // whether the chat has taken the name
let losses = 0; // since the last time that it had

find("room").textContent = decoded(room);
document.title = `Chat: ${decoded(room)}`;
enter.addEventListener("submit", (event) => {
  event.preventDefault();
  connect();
});
speak.addEventListener("submit", (event) => {
  event.preventDefault();
  if (socket?.readyState !== WebSocket.OPEN) return;
  socket.send(text.value);
  text.value = "";
});

function decoded(path) {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function connect() {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  inside = false;
  say("Connecting …");
  socket = new WebSocket(`${scheme}://${location.host}${room}?name=${encodeURIComponent(name.value)}`);
  socket.onmessage = (event) => hear(event.data, event.target);
  socket.onclose = (event) => leave(event);
}

function hear(line, from) {
  if (!inside && line.endsWith("; say another")) {
    from.onclose = null;
    from.close();
    ask(line.slice(2).replace("; say another", "."));
    return;
  }
  if (!inside && line.endsWith(" came in")) come();
  add(line);
}

function come() {
  inside = true;
  losses = 0;
  say(`You are here as ${name.value.trim()}.`);
  enter.hidden = true;
  speak.hidden = false;
  text.focus();
}

function ask(why) {
  say(why, true);
  enter.hidden = false;
  speak.hidden = true;
  name.focus();
}

function leave({ code, reason }) {
  if (code === 1008 && !inside) return ask(reason);
  const seconds = Math.random() * Math.min(MOST, FIRST * 2 ** losses);
  losses += 1;
  const why = reason || (code === 1006 ? "the connection was lost or could not be made" : `code ${code}`);
  say(`Not connected: ${why}. Trying again in ${Math.ceil(seconds)} s.`, true);
  setTimeout(connect, 1000 * seconds);
}

function say(what, lost = false) {
  state.textContent = what;
  state.classList.toggle("lost", lost);
}

function add(line) {
  const low = log.scrollTop + log.clientHeight >= log.scrollHeight - 5;
  const item = document.createElement("li");
  const colon = line.startsWith("*") ? -1 : line.indexOf(": ");
  if (colon < 0) item.className = "notice";
  const who = document.createElement("strong");
  who.textContent = line.slice(0, colon + 1);
  item.append(who, line.slice(colon + 1));
  log.append(item);
  while (log.children.length > MOST_LINES) log.firstChild.remove();
  if (low) log.scrollTop = log.scrollHeight;
}
