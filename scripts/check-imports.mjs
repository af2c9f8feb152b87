/** Fails when a package imports what ARCHITECTURE.md does not allow, when imports form a circle, or when a pure package has effects. */
import { globSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, normalize } from 'node:path';
import { parseSync } from 'oxc-parser';
import { allowedImports, impureModules, nativeModules, pkcs11Users, purePackages } from './allowed-imports.mjs';

const problems = [];
const scope = '@sigillum/';
const packageFolders = new Map(
  globSync(['packages/*/package.json', 'hsm/package.json']).map((file) => [
    dirname(file),
    JSON.parse(readFileSync(file, 'utf8')),
  ]),
);

/** Every module a file imports or re-exports, static and dynamic. */
function importsOf(file) {
  const { module, errors } = parseSync(file, readFileSync(file, 'utf8'));
  if (errors.length > 0) problems.push(`${file}: does not parse`);
  const fixed = [
    ...module.staticImports,
    ...module.staticExports.flatMap((e) => e.entries.filter((x) => x.moduleRequest)),
  ];
  const names = fixed.map((entry) => entry.moduleRequest.value);
  const text = readFileSync(file, 'utf8');
  for (const { moduleRequest } of module.dynamicImports) {
    const literal = /^(['"`])([^'"`$]+)\1$/.exec(text.slice(moduleRequest.start, moduleRequest.end));
    if (literal) names.push(literal[2]);
    else if (!file.endsWith('.test.ts')) problems.push(`${file}: imports a module whose name is computed`);
  }
  return [...new Set(names)];
}

function packageNameOf(specifier) {
  return specifier.startsWith('@')
    ? specifier.split('/').slice(0, 2).join('/')
    : (specifier.split('/')[0] ?? specifier);
}

function checkImport({ file, folder, manifest, specifier, isTest, fileImports }) {
  const name = manifest.name.slice(scope.length);
  if (specifier.startsWith('.')) {
    const target = normalize(join(dirname(file), specifier));
    // Tests may borrow each other's support files.
    if (!isTest && !target.startsWith(`${folder}/`))
      problems.push(`${file}: reaches out of its package to ${specifier}`);
    if (!isTest) fileImports.set(file, [...(fileImports.get(file) ?? []), target]);
    return;
  }
  const bare = specifier.replace(/^node:/, '');
  if (nativeModules.includes(bare) && folder !== 'packages/pkcs11')
    problems.push(`${file}: only packages/pkcs11 loads ${bare}`);
  if (specifier === `${scope}pkcs11` && !pkcs11Users.some((place) => file.startsWith(place)))
    problems.push(`${file}: only the signer processes and the ceremony use @sigillum/pkcs11`);
  if (builtinModules.includes(bare)) {
    const writers = purePackages[name];
    if (!isTest && writers && impureModules.includes(bare) && !writers.some((w) => file === join(folder, w)))
      problems.push(`${file}: a pure package imports node:${bare}`);
    return;
  }
  if (isTest) return;
  const declared = { ...manifest.dependencies, ...manifest.optionalDependencies };
  if (!Object.hasOwn(declared, packageNameOf(specifier)))
    problems.push(`${file}: ${packageNameOf(specifier)} is not in ${folder}/package.json`);
  if (!specifier.startsWith(scope)) return;
  const allowed = allowedImports[name];
  if (allowed !== '*' && !allowed?.includes(specifier.slice(scope.length)))
    problems.push(`${file}: ${name} may not import ${specifier}`);
}

/** Files that import each other in a loop, by depth-first search. */
function reportCircles(fileImports) {
  const state = new Map();
  const visit = (file, path) => {
    if (state.get(file) === 'done') return;
    if (state.get(file) === 'open') {
      problems.push(`circle: ${[...path.slice(path.indexOf(file)), file].join(' → ')}`);
      return;
    }
    state.set(file, 'open');
    for (const next of fileImports.get(file) ?? []) visit(next, [...path, file]);
    state.set(file, 'done');
  };
  for (const file of fileImports.keys()) visit(file, []);
}

const fileImports = new Map();
for (const [folder, manifest] of packageFolders) {
  const name = manifest.name.slice(scope.length);
  if (!Object.hasOwn(allowedImports, name)) problems.push(`${folder}: not in scripts/allowed-imports.mjs`);
  for (const file of globSync(`${folder}/src/**/*.ts`)) {
    const isTest = file.endsWith('.test.ts');
    for (const specifier of importsOf(file)) checkImport({ file, folder, manifest, specifier, isTest, fileImports });
  }
  for (const dependency of Object.keys(manifest.dependencies ?? {}))
    if (
      dependency.startsWith(scope) &&
      allowedImports[name] !== '*' &&
      !allowedImports[name]?.includes(dependency.slice(scope.length))
    )
      problems.push(`${folder}/package.json: ${name} may not depend on ${dependency}`);
}
reportCircles(fileImports);

if (/"npm:null/.test(readFileSync('package-lock.json', 'utf8')))
  problems.push('package-lock.json: a dependency on npm:null');

for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
else console.log(`imports: ${packageFolders.size} packages, every arrow points down`);
