// Two nodes in one process, over TCP: one sends a typed message, the other gets it.
import { createRouter, formatNodeAddress, identityFromSeed, protobufCodec, realEnv } from 'peerchart';
import { memoryPeerStore } from 'peerchart/store';
import { mconn } from 'peerchart/transports';
import { example } from './generated/chat.js';

const chatChannel = { id: 0x42, name: 'chat', codec: protobufCodec(example.ChatMessage) };

/** A node with a new key and any free port. Real ones load their key from a file and keep their peers in LevelDB. */
function makeNode(name, bootstrapPeers = []) {
  const router = createRouter({
    identity: identityFromSeed(realEnv().random.bytes(32)),
    network: 'example',
    moniker: name,
    transports: [mconn({ listen: '127.0.0.1:0' })],
    store: memoryPeerStore(),
    bootstrapPeers,
  });
  return { router, chat: router.openChannel(chatChannel) };
}

const alice = makeNode('alice');
await alice.router.start();
const bob = makeNode('bob', alice.router.addresses.map(formatNodeAddress));

try {
  await bob.router.start();

  for await (const { peer, status } of alice.chat.updates()) {
    console.log(`alice: ${peer} is ${status}`);
    if (status === 'up') break;
  }
  alice.chat.broadcast({ sequence: 1, text: 'hello, whoever you are' });

  for await (const { from, message } of bob.chat.receive()) {
    console.log(`bob:   ${from} says #${message.sequence}, ${message.text}`);
    break;
  }
} finally {
  await Promise.all([alice.router.stop(), bob.router.stop()]);
}
