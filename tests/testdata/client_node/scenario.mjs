// What a Node.js program does with a cluster: an informer, exec with input, a forwarded port, logs, patches. Prints what it saw as JSON.
// Usage: node scenario.mjs NAMESPACE POD_MANIFEST
import net from 'node:net';
import http from 'node:http';
import { PassThrough, Readable, Writable } from 'node:stream';
import * as k8s from '@kubernetes/client-node';

const [namespace, manifest] = process.argv.slice(2);
const config = new k8s.KubeConfig();
config.loadFromDefault();
const core = config.makeApiClient(k8s.CoreV1Api);
const seen = { events: [] };

function collected() {
  const chunks = [];
  const stream = new Writable({ write(chunk, _, done) { chunks.push(chunk); done(); } });
  stream.text = () => Buffer.concat(chunks).toString();
  return stream;
}

async function until(condition, what) {
  for (let i = 0; i < 600; i++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`never: ${what}`);
}

const informer = k8s.makeInformer(config, `/api/v1/namespaces/${namespace}/pods`, () => core.listNamespacedPod({ namespace }));
for (const verb of ['add', 'update', 'delete']) {
  informer.on(verb, (pod) => seen.events.push(`${verb} ${pod.metadata.name} ${pod.metadata.labels?.stage ?? ''}`.trim()));
}
informer.on('error', (error) => { throw error; });
await informer.start();

const pod = JSON.parse(manifest);
const name = pod.metadata.name;
await core.createNamespacedPod({ namespace, body: pod });
await until(async () => (await core.readNamespacedPod({ namespace, name })).status.conditions?.some((c) => c.type === 'Ready' && c.status === 'True'), 'ready');

await core.patchNamespacedPod(
  { namespace, name, body: { metadata: { labels: { stage: 'patched' } } } },
  k8s.setHeaderOptions('Content-Type', k8s.PatchStrategy.MergePatch),
);

const out = collected();
const err = collected();
const code = await new Promise((resolve, reject) => {
  new k8s.Exec(config)
    .exec(namespace, name, pod.spec.containers[0].name, ['sh', '-c', 'read line; echo "$line" | tr a-z A-Z; echo trouble >&2; exit 3'],
      out, err, Readable.from(['through\n']), false, (status) => resolve(Number(status.details?.causes?.[0]?.message ?? 0)))
    .catch(reject);
});
seen.exec = [out.text(), err.text(), code];

const log = new PassThrough();
const lines = [];
log.on('data', (chunk) => lines.push(chunk.toString()));
await new k8s.Log(config).log(namespace, name, pod.spec.containers[0].name, log, { follow: false, tailLines: 1 });
await until(() => lines.length > 0, 'log');
seen.log = lines.join('');

const forward = new k8s.PortForward(config);
const server = net.createServer((socket) => forward.portForward(namespace, name, [8080], socket, null, socket));
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
seen.forwarded = await new Promise((resolve, reject) => {
  http.get({ port: server.address().port, path: '/', agent: false }, (answer) => {
    let text = '';
    answer.on('data', (chunk) => (text += chunk));
    answer.on('end', () => resolve(text));
  }).on('error', reject);
});

try {
  await core.readNamespacedPod({ namespace, name: 'nobody' });
} catch (error) {
  seen.refused = [error.code, JSON.parse(error.body).message];
}

await core.deleteNamespacedPod({ namespace, name, gracePeriodSeconds: 0 });
await until(() => seen.events.some((event) => event.startsWith('delete ')), 'deleted');
await informer.stop();
console.log(JSON.stringify(seen));
process.exit(0);
