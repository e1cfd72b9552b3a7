// Messages and peer updates as observables. A subscription ends with its channel, with the router, or on a signal.
import { createRouter, formatNodeAddress, identityFromSeed, protobufCodec, realEnv } from 'peerchart';
import { mconn } from 'peerchart/transports';
import { example } from './generated/chat.js';

const MESSAGES = 3;

function makeNode(name, bootstrapPeers = []) {
  const router = createRouter({
    identity: identityFromSeed(realEnv().random.bytes(32)),
    network: 'example',
    moniker: name,
    transports: [mconn({ listen: '127.0.0.1:0' })],
    bootstrapPeers,
  });
  const chat = router.openChannel({ id: 0x42, name: 'chat', codec: protobufCodec(example.ChatMessage) });
  return { router, chat };
}

/** Passes on what an observable emits until the signal aborts. */
function subscribe(observable, observer, signal) {
  const subscription = observable.subscribe(observer);
  signal.addEventListener('abort', () => subscription.unsubscribe(), { once: true });
}

const alice = makeNode('alice');
await alice.router.start();
const bob = makeNode('bob', alice.router.addresses.map(formatNodeAddress));
const enough = new AbortController();

try {
  const updates = ({ peer, status }) => {
    console.log(`alice: ${peer.slice(0, 8)}… is ${status}`);
    for (let sequence = 1; sequence <= MESSAGES + 2; sequence++) {
      alice.chat.broadcast({ sequence, text: 'one of many' });
    }
  };
  subscribe(alice.router.updates$, updates, enough.signal);

  const done = new Promise((resolve) => {
    enough.signal.addEventListener('abort', resolve, { once: true });
  });
  const messages = ({ message }) => {
    console.log(`bob:   got #${message.sequence}`);
    if (message.sequence === MESSAGES) enough.abort();
  };
  subscribe(bob.chat.messages$, messages, enough.signal);

  await bob.router.start();
  await done;
  console.log('both have heard enough');
} finally {
  await Promise.all([alice.router.stop(), bob.router.stop()]);
}
