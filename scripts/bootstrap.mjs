/**
 * What a clone needs before anything of it can run, shared by start, test and check: dependencies of npm, the system's
 * packages, and the pinned Node. Plain JavaScript for the system's Node (20 or later), without dependencies.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The top of the checkout. */
export const root = join(import.meta.dirname, '..');

const stampPath = join(root, 'node_modules', '.sigillum-install');

/** Lines of a failed command's output that are shown. */
const shownLines = 20;

/** The product's Node, pinned by package-lock.json; the system's one only runs these scripts. */
export function nodeBinary() {
  return join(root, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node');
}

/** Stops with a sentence instead of a stack. */
export function stopWith(message) {
  console.error(`\n${message}\n`);
  process.exit(1);
}

/** Linux on a processor that the pinned Node and PostgreSQL exist for. */
export function assertPlatform() {
  if (process.platform !== 'linux') stopWith('Sigillum runs on Linux only, for example in a Debian 12 container.');
  if (process.arch !== 'x64' && process.arch !== 'arm64') {
    stopWith(`Sigillum runs on x64 and arm64; this is ${process.arch}.`);
  }
  if (Number(process.versions.node.split('.')[0]) < 20) {
    stopWith(`Sigillum's scripts need Node 20 or later; this is ${process.versions.node}.`);
  }
}

/** Where SoftHSM's PKCS#11 module lies on Debian and others. */
function hasSoftHsm() {
  const folders = ['/usr/lib/softhsm', '/usr/lib64/softhsm', '/usr/local/lib/softhsm', '/usr/lib64/pkcs11'];
  const multiarch = readdirSync('/usr/lib')
    .filter((name) => name.endsWith('-linux-gnu'))
    .map((name) => `/usr/lib/${name}/softhsm`);
  return [...folders, ...multiarch].some((folder) => existsSync(join(folder, 'libsofthsm2.so')));
}

/** Whether a program can be started by its name. */
export function hasProgram(name) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

const hasAddon = () => existsSync(join(root, 'node_modules', 'pkcs11js', 'build', 'Release', 'pkcs11.node'));

/** Installs what the product needs from the system's packages, or says what to do. */
export function ensureSystemPackages() {
  const missing = hasSoftHsm() ? [] : ['softhsm2'];
  if (!hasProgram('setpriv') || !hasProgram('unshare')) missing.push('util-linux');
  // A compiler is only needed to build the PKCS#11 addon once.
  if (!hasAddon() || installHash() !== readStamp()) {
    for (const name of ['g++', 'make', 'python3']) if (!hasProgram(name)) missing.push(name);
  }
  if (missing.length === 0) return;
  const failure = installSystemPackages(missing);
  if (failure === undefined) return;
  stopWith(
    `Missing on this system: ${missing.join(', ')}.\n${failure}\nInstall ${missing.length === 1 ? 'it' : 'them'} and start again, on Debian and Ubuntu with:\n` +
      `  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing.join(' ')}`,
  );
}

/** Installs packages with apt-get; gives the reason when it can't. The index is only updated when that is needed. */
export function installSystemPackages(names) {
  if (!hasProgram('apt-get')) return 'They can only be installed by themselves where there is apt-get.';
  const isRoot = process.getuid() === 0;
  if (!isRoot && !hasProgram('sudo')) return 'This user is not root and there is no sudo.';
  const prefix = isRoot ? [] : process.stdin.isTTY ? ['sudo'] : ['sudo', '-n'];
  if (prefix.includes('-n') && spawnSync('sudo', ['-n', 'true']).status !== 0) {
    return 'This user may not use sudo without a password, and there is no terminal to ask for it.';
  }
  console.log(`Installing from the system's packages${isRoot ? '' : ' (with sudo)'}: ${names.join(', ')} …`);
  const apt = (...args) => {
    const command = [...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-q', ...args];
    // sudo asks for its password on the terminal itself.
    return spawnSync(command[0], command.slice(1), { encoding: 'utf8', stdio: ['inherit', 'pipe', 'pipe'] });
  };
  const install = () => apt('install', '-y', '--no-install-recommends', ...names);
  let result = install();
  if (result.status !== 0) {
    console.log('… not found in the local index; updating it (apt-get update) …');
    const update = apt('update');
    if (update.status !== 0) return `apt-get update failed:\n${lastLines(update.stderr)}`;
    result = install();
  }
  return result.status === 0 ? undefined : `apt-get install failed:\n${lastLines(result.stderr || result.stdout)}`;
}

function lastLines(text) {
  return (text ?? '').trimEnd().split('\n').slice(-shownLines).join('\n');
}

/** What npm installs from: the lock and everything that names dependencies. */
function installHash() {
  const hash = createHash('sha256').update(process.arch);
  const folders = ['packages', '.']
    .flatMap((parent) =>
      parent === '.' ? ['.', 'hsm'] : listFolders(join(root, parent)).map((name) => join(parent, name)),
    )
    .sort();
  for (const folder of folders) addFile(hash, join(folder, 'package.json'));
  for (const name of ['package-lock.json', '.npmrc']) addFile(hash, name);
  return hash.digest('hex');
}

function listFolders(path) {
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
}

function addFile(hash, name) {
  const path = join(root, name);
  hash.update(`\0${name}\0`);
  if (existsSync(path)) hash.update(readFileSync(path));
}

function readStamp() {
  return existsSync(stampPath) ? readFileSync(stampPath, 'utf8').trim() : '';
}

/** Runs `npm install` when what it installs from has changed since the last time. */
export async function ensureDependencies() {
  if (readStamp() === installHash() && existsSync(nodeBinary()) && hasAddon()) return;
  console.log('Installing dependencies (npm install; a minute at the first time) …');
  const { code, output } = await run(...npmCommand(['install', '--no-audit', '--no-fund']), {
    cwd: root,
    env: {
      ...process.env,
      // node-gyp would download headers, and fail offline: the pinned Node brings them. npm unpacks before it builds.
      npm_package_config_node_gyp_nodedir: join(root, 'node_modules', `node-linux-${process.arch}`),
      // An older npm doesn't know allowScripts; this keeps a package from reporting the install.
      SCARF_ANALYTICS: 'false',
      npm_config_update_notifier: 'false',
    },
  });
  if (code !== 0) {
    stopWith(
      `npm install failed:\n${lastLines(output)}\n\nIs the registry reachable? Then try again; after "rm -rf node_modules" if it stays so.`,
    );
  }
  if (!existsSync(nodeBinary())) {
    stopWith(
      `npm did not install ${nodeBinary()}.\nAre optional dependencies switched off (npm config get omit)? Run: npm install --include=optional`,
    );
  }
  if (!hasAddon()) {
    stopWith(
      'The PKCS#11 addon (pkcs11js) was not built. Are scripts switched off (npm config get ignore-scripts)? Run: npm rebuild pkcs11js',
    );
  }
  // Hashed again: npm may have completed the lock.
  writeFileSync(stampPath, `${installHash()}\n`);
}

/** The npm that started us, or that of the path. */
function npmCommand(args) {
  const own = process.env.npm_execpath;
  return own !== undefined && /npm-cli\.c?js$/.test(own) ? [process.execPath, [own, ...args]] : ['npm', args];
}

/** Runs a command quietly; a dot every few seconds shows that it lives. */
function run(program, args, options) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const keep = (chunk) => {
      output = (output + chunk).slice(-20_000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const dots = setInterval(() => process.stdout.write('.'), 5_000);
    const end = (code) => {
      clearInterval(dots);
      process.stdout.write('\n');
      resolve({ code, output });
    };
    child.once('error', (error) => {
      output += error.message;
      end(127);
    });
    child.once('close', end);
  });
}

/** Everything above, in order. */
export async function bootstrap() {
  assertPlatform();
  ensureSystemPackages();
  await ensureDependencies();
}

/**
 * Goes on in the pinned Node and ends as that one ends. Signals are handed on; the terminal's Ctrl-C reaches both, and
 * whoever gets it twice ignores the second. With `lifeline`, the child notices the end of this process, however it ends.
 */
export function continueInPinnedNode(args, { lifeline = false } = {}) {
  const child = spawn(nodeBinary(), args, { cwd: root, stdio: [lifeline ? 'pipe' : 'inherit', 'inherit', 'inherit'] });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.stdin?.on('error', () => undefined);
  child.once('error', (error) => stopWith(`The pinned Node can't be started: ${error.message}`));
  child.once('exit', (code, signal) => {
    if (signal !== null) console.error(`Ended by ${signal}.`);
    process.exit(code ?? 1);
  });
}

const conditions = '--conditions=source';

/**
 * For a script that measures: does its work in the pinned Node, from the sources. Started by another Node, the script
 * runs itself once more there, with the same arguments, after whatever is missing was installed.
 */
export async function workInPinnedNode(script, work) {
  if (process.execArgv.includes(conditions)) return await work();
  if (!existsSync(nodeBinary())) await bootstrap();
  const args = [conditions, script, ...process.argv.slice(2)];
  process.exitCode = spawnSync(nodeBinary(), args, { cwd: root, stdio: 'inherit' }).status ?? 1;
}

if (process.argv[1] === import.meta.filename) await bootstrap();
