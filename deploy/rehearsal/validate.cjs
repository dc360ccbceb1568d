// Checks Kubernetes objects against the schemas of the API, as the package kubernetes-models ships them.
const fs = require("fs");
const yaml = require("yaml");

let count = 0;
const faults = [];
for (const file of process.argv.slice(2)) {
  for (const document of yaml.parseAllDocuments(fs.readFileSync(file, "utf8"))) {
    const object = document.toJS();
    if (!object) continue;
    count++;
    const name = `${object.kind}/${object.metadata?.name}`;
    try {
      // kustomize folds long values into lines. The API's decoder skips line ends in base64; the schema's format does not.
      if (object.kind === "Secret") for (const key in object.data) object.data[key] = object.data[key].replaceAll("\n", "");
      const kinds = require(`kubernetes-models/${object.apiVersion}`);
      if (!kinds[object.kind]) throw new Error(`no such kind in ${object.apiVersion}`);
      new kinds[object.kind](object).validate();
    } catch (fault) {
      faults.push(`${name}: ${fault.message}`);
    }
  }
}

console.log(`${count} objects checked against the API's schemas, ${faults.length} with faults`);
for (const fault of faults) console.log(fault);
process.exitCode = faults.length > 0 ? 1 : 0;
