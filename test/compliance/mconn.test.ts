import { realEnv } from '../../src/env/real-env.ts';
import { mconn } from '../../src/transports/mconn/mconn-transport.ts';
import { transportSuite } from './transport-suite.ts';

for (const listen of ['127.0.0.1:0', 'tcp://[::1]:0']) {
  transportSuite(`mconn on ${listen}`, () => {
    const env = realEnv();
    return {
      env,
      transport: () => mconn({ listen })(env),
      run: (promise) => promise,
      settle: async () => {
        for (let turn = 0; turn < 50; turn++) await new Promise<void>((next) => env.clock.defer(next));
      },
    };
  });
}
