import { realEnv } from '../../src/env/real-env.ts';
import { simulatedEnv } from '../../src/testing/simulated-env.ts';
import { MemoryNetwork } from '../../src/transports/memory/memory-network.ts';
import { transportSuite } from './transport-suite.ts';

transportSuite('memory in real time', () => {
  const env = realEnv();
  const network = new MemoryNetwork();
  return {
    env,
    transport: ({ nodeId }) => network.transport(nodeId)(env),
    run: (promise) => promise,
    settle: async () => {
      for (let turn = 0; turn < 20; turn++) await new Promise<void>((next) => env.clock.defer(next));
    },
  };
});

for (const [title, options] of [
  ['without latency', {}],
  ['with a window of one message', { windowMessages: 1 }],
  ['with latency', { latencyMs: 30 }],
] as const) {
  transportSuite(`memory in virtual time, ${title}`, () => {
    const env = simulatedEnv();
    const network = new MemoryNetwork(options);
    return {
      env,
      transport: ({ nodeId }) => network.transport(nodeId)(env),
      run: (promise) => env.clock.complete(promise),
      settle: () => env.clock.advance(1000),
    };
  });
}
