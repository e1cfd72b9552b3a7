import type { Row } from '../row.ts';

const FAN_OUT = 'delivery to each subscriber, and to none that is closed';

export const READY_ROWS: readonly Row[] = [
  {
    no: 'PM-151',
    title: 'ready makes a peer up',
    given: ['accepted a'],
    then: [
      ['status a', 'down'],
      ['ready a', 'up'],
      ['effects', 'up:a[]'],
      ['status a', 'up'],
    ],
  },
  {
    no: 'PM-152',
    title: 'the update carries the channels',
    given: ['accepted a'],
    then: [
      ['ready a 42', 'up'],
      ['effects', 'up:a[42]'],
      ['ready', 'a [42]'],
    ],
  },
  {
    no: 'PM-153',
    title: 'a peer that is not connected cannot be ready',
    given: ['add m:b'],
    then: [
      ['ready b', 'ignored'],
      ['effects', 'nothing'],
      ['status b', 'down'],
    ],
  },
  { no: 'PM-154', title: 'an unknown peer is down', then: [['status a', 'down']] },
  {
    no: 'PM-155',
    title: 'a peer is announced once',
    given: ['accepted a', 'ready a'],
    then: [
      ['ready a', 'ignored'],
      ['updates', 'a+'],
    ],
  },
  {
    no: 'PM-156',
    title: 'a leaving peer is not announced',
    given: ['accepted a', 'errored a'],
    then: [
      ['ready a', 'ignored'],
      ['evictNext', 'a'],
      ['ready a', 'ignored'],
      ['disconnected a', 'ok'],
      ['updates', 'none'],
    ],
  },
  {
    no: 'PM-157',
    title: 'a peer that was never up does not go down',
    given: ['accepted a'],
    then: [
      ['disconnected a', 'ok'],
      ['updates', 'none'],
    ],
  },
  {
    no: 'PM-158',
    title: 'a peer that was up goes down',
    given: ['accepted a', 'ready a'],
    then: [
      ['disconnected a', 'ok'],
      ['effects', 'down:a wakeDial'],
      ['status a', 'down'],
    ],
  },
  {
    no: 'PM-159',
    title: 'a whole life has four updates',
    shell: 'the subscription that receives them',
    given: ['add m:a'],
    then: [
      ['accepted a', 'ok'],
      ['ready a', 'up'],
      ['disconnected a', 'ok'],
      ['dialNext', 'm:a'],
      ['dialed m:a', 'ok'],
      ['ready a', 'up'],
      ['errored a', 'ok'],
      ['evictNext', 'a'],
      ['disconnected a', 'ok'],
      ['dialNext', 'm:a'],
      ['dialFailed m:a', 'ok'],
      ['updates', 'a+ a- a+ a-'],
    ],
  },
  {
    no: 'PM-160',
    title: 'updates are effects whether or not anybody listens',
    shell: FAN_OUT,
    given: ['accepted a'],
    then: [
      ['ready a', 'up'],
      ['disconnected a', 'ok'],
      ['updates', 'a+ a-'],
    ],
  },
  {
    no: 'PM-161',
    title: 'each change is one effect, however many listen',
    shell: FAN_OUT,
    given: ['accepted a', 'ready a'],
    then: [
      ['disconnected a', 'ok'],
      ['effects', 'down:a wakeDial'],
    ],
  },
  {
    no: 'PM-162',
    title: 'updates never hold up the core',
    shell: 'bounded mailboxes of subscribers',
    given: ['accepted a', 'accepted b', 'accepted c', 'ready a', 'ready b', 'ready c'],
    then: [['updates', 'a+ b+ c+']],
  },
  {
    no: 'PM-163',
    title: 'updates come in the order of the events',
    shell: FAN_OUT,
    given: ['accepted a', 'accepted b', 'ready a', 'ready b', 'disconnected a'],
    then: [['updates', 'a+ b+ a-']],
  },
  {
    no: 'PM-164',
    title: 'time alone has no effects: a wake-up is the owner’s timer on nextDialAt',
    shell: 'stopping the timer when the router stops',
    options: { Min: 100, Cool: 200 },
    given: ['add m:a', 'accepted a', 'disconnected a', 'clock +200'],
    then: [
      ['evictNext', 'none'],
      ['effects', 'nothing'],
    ],
  },
];
