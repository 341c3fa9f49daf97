// Pyodide in Node, for one test run. Arguments: Pyodide's folder, then the wheels. Each line that is read is JSON,
// {"source", "given"}: Python that is run with the given text in `given`; what its last line says is the answer.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [folder, ...wheels] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(`${folder}/pyodide.mjs`));
const quiet = () => {}; // standard output is for answers alone
const pyodide = await loadPyodide({ indexURL: `${folder}/`, stdout: quiet, stderr: quiet });
const extractDir = pyodide.runPython("import site; site.getsitepackages()[0]");
for (const wheel of wheels) pyodide.unpackArchive(new Uint8Array(readFileSync(wheel)), "wheel", { extractDir });

const tell = (told) => process.stdout.write(`${JSON.stringify(told)}\n`);
tell({ answer: pyodide.version });
for await (const line of createInterface({ input: process.stdin })) {
  const { source, given } = JSON.parse(line);
  const globals = pyodide.toPy({ __name__: "__pyodide__", given });
  try {
    tell({ answer: pyodide.runPython(source, { globals }) });
  } catch (error) {
    tell({ error: String(error.message ?? error) });
  } finally {
    globals.destroy();
  }
}
