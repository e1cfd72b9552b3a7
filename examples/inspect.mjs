// What happens inside a node, as its flight recorder tells it: decisions with their why, and the life of one peer.
import { createRouter, formatNodeAddress, identityFromSeed, realEnv } from 'peerchart';
import { mconn } from 'peerchart/transports';

function makeNode(name, bootstrapPeers = []) {
  return createRouter({
    identity: identityFromSeed(realEnv().random.bytes(32)),
    network: 'example',
    moniker: name,
    transports: [mconn({ listen: '127.0.0.1:0' })],
    bootstrapPeers,
  });
}

const alice = makeNode('alice');
await alice.start();
const bob = makeNode('bob', alice.addresses.map(formatNodeAddress));

const connected = new Promise((resolve) => {
  bob.recorder.subscribe((record) => {
    if (record.kind === 'decision' && record.result !== 'none') console.log(`bob decides: ${record.line}`);
    if (record.kind === 'transition' && record.actor.startsWith('router/peer/')) {
      console.log(`${record.actor}: ${record.from || '(new)'} → ${record.to} on ${record.event}`);
    }
    if (record.kind === 'note' && record.code === 'peer-up') resolve();
  });
});

try {
  await bob.start();
  await connected;
  const kinds = bob.recorder.records().map(({ kind }) => kind);
  const counts = [...new Set(kinds)].map(
    (kind) => `${kinds.filter((other) => other === kind).length} ${kind}`,
  );
  console.log(`recorded so far: ${counts.join(', ')}`);
} finally {
  await Promise.all([alice.stop(), bob.stop()]);
}
