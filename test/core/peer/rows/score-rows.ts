import type { Expectation, Row } from '../row.ts';

function reports(name: 'good' | 'bad', scores: readonly number[]): readonly Expectation[] {
  return scores.flatMap((score): Expectation[] => [
    [`${name} a`, 'scored'],
    ['score a', String(score)],
  ]);
}

export const SCORE_ROWS: readonly Row[] = [
  {
    no: 'PM-194',
    title: 'every report is one point',
    given: ['add m:a'],
    then: [...reports('good', [1, 2, 3, 4, 5, 6, 7, 8, 9]), ...reports('bad', [8, 7, 6])],
  },
  {
    no: 'PM-195',
    title: 'reports are not broadcast',
    shell: 'the subscription that sends reports',
    given: ['add m:a', 'accepted a'],
    then: [
      ['good a', 'scored'],
      ['effects', 'nothing'],
      ['score a', '1'],
      ['bad a', 'scored'],
      ['score a', '0'],
      ['updates', 'none'],
    ],
  },
  {
    no: 'PM-196',
    title: 'good behaviour counts in the ranking at once',
    given: ['add m:a', 'add m:b', 'good b x3'],
    then: [['peers', 'b a']],
  },
  {
    no: 'PM-197',
    title: 'a failure counts in the ranking at once',
    given: ['add m:a', 'add m:b', 'dialFailed m:a'],
    then: [['peers', 'b a']],
  },
  {
    no: 'PM-198',
    title: 'an accept counts in the ranking at once',
    given: ['add m:a', 'add m:b', 'dialFailed m:a'],
    then: [
      ['peers', 'b a'],
      ['accepted a', 'ok'],
      ['peers', 'a b'],
    ],
  },
  ...(
    [
      ['100', 100, -100],
      ['0', 0, -100],
      ['300', 300, 256],
    ] as const
  ).map(([name, first, second]): Row => ({
    no: 'PM-199',
    title: `a peer at ${name} ranks above one at ${second}`,
    given: [
      'add m:a',
      'add m:b',
      ...(first > 0 ? [`good b x${first}`] : []),
      second > 0 ? `good a x${second}` : `bad a x${-second}`,
    ],
    then: [['scores', `b:${first} a:${second}`]],
  })),
  {
    no: 'PM-200',
    title: 'inactivity does not change the order',
    given: ['add m:a', 'add m:b', 'inactivate a'],
    then: [['peers', 'a b']],
  },
  {
    no: 'PM-201',
    title: 'good behaviour never makes a peer persistent',
    given: ['add m:a', 'good a x40000'],
    then: [['score a', '32766']],
  },
  {
    no: 'PM-202',
    title: 'a score does not wrap around',
    given: ['add m:a', 'bad a x80000', 'dialFailed m:a'],
    then: [['score a', '-32768']],
  },
  {
    no: 'PM-203',
    title: 'nothing below the lowest score has to be earned back',
    given: ['add m:a', 'bad a x40000', 'good a'],
    then: [['score a', '-32767']],
  },
  {
    no: 'PM-204',
    title: 'failures of all addresses add up',
    given: ['add m:a', 'add t:a:x', 'dialFailed m:a x2', 'dialFailed t:a:x x3', 'good a x4'],
    then: [['score a', '-1']],
  },
  {
    no: 'PM-205',
    title: 'a persistent peer has the highest score whatever it does',
    options: { Pers: ['a'] },
    given: ['add m:a', 'dialFailed m:a x5', 'bad a x5'],
    then: [['score a', '32767']],
  },
  {
    no: 'PM-206',
    title: 'a fixed score wins over persistence',
    options: { Pers: ['a'], Scores: { a: 7 } },
    given: ['add m:a'],
    then: [['score a', '7']],
  },
  {
    no: 'PM-207',
    title: 'a fixed score of 0 is ignored',
    options: { Scores: { a: 0 } },
    given: ['add m:a', 'dialFailed m:a x2'],
    then: [['score a', '-2']],
  },
  {
    no: 'PM-208',
    title: 'a negative fixed score is ignored',
    options: { Scores: { a: -5 } },
    given: ['add m:a'],
    then: [['score a', '0']],
  },
  {
    no: 'PM-209',
    title: 'a fixed score stays',
    options: { Scores: { a: 7 } },
    given: ['add m:a', 'good a x10', 'dialFailed m:a x3'],
    then: [['score a', '7']],
  },
  {
    no: 'PM-210',
    title: 'a report about an unknown peer is ignored',
    then: [
      ['good d', 'ignored'],
      ['bad d', 'ignored'],
      ['peers', '-'],
      ['add m:d', 'added'],
      ['score d', '0'],
    ],
  },
  {
    no: 'PM-211',
    title: 'a report that is neither good nor bad is ignored',
    given: ['add m:a'],
    then: [
      ['report a up', 'ignored'],
      ['effects', 'nothing'],
      ['report a down', 'ignored'],
      ['report d up', 'ignored'],
      ['score a', '0'],
      ['peers', 'a'],
      ['updates', 'none'],
    ],
  },
  {
    no: 'PM-212',
    title: 'a peer never dialled was last dialled never',
    given: ['add m:a'],
    then: [['lastDialed a', 'never false']],
  },
  {
    no: 'PM-213',
    title: 'the last dial may be a success',
    given: ['add m:a', 'add t:a:x', 'dialFailed m:a', 'clock +3600000', 'dialed t:a:x'],
    then: [['lastDialed a', 'T0+3600000 true']],
  },
  {
    no: 'PM-214',
    title: 'of a success and a failure at one instant the success counts',
    given: ['add m:a', 'add t:a:x', 'dialFailed m:a', 'dialed t:a:x'],
    then: [['lastDialed a', 'T0+0 true']],
  },
  {
    no: 'PM-215',
    title: 'the last dial may be a failure',
    given: ['add m:a', 'add t:a:x', 'dialed t:a:x', 'clock +3600000', 'dialFailed m:a'],
    then: [['lastDialed a', 'T0+3600000 false']],
  },
];
