// Pyodide in a web worker, as JupyterLite has it. It is sent {wheels, source} and answers with what the source says.
import { loadPyodide } from "./pyodide/pyodide.mjs";

self.onmessage = async ({ data }) => {
  try {
    const pyodide = await loadPyodide({ indexURL: new URL("./pyodide/", self.location).href });
    const extractDir = pyodide.runPython("import site; site.getsitepackages()[0]");
    for (const wheel of data.wheels) {
      pyodide.unpackArchive(await (await fetch(`./wheels/${wheel}`)).arrayBuffer(), "wheel", { extractDir });
    }
    self.postMessage({ answer: pyodide.runPython(data.source) });
  } catch (error) {
    self.postMessage({ error: String(error.message ?? error) });
  }
};
