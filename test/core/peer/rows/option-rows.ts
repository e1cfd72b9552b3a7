import type { Row } from '../row.ts';
import { id } from '../shorthand.ts';

const UPPER = id('a').toUpperCase();

function validate(no: string, title: string, options: NonNullable<Row['options']>, answer: string): Row {
  return { no, title, options, then: [['validate', answer]] };
}

export const OPTION_ROWS: readonly Row[] = [
  validate('PM-001', 'options that are all zero or empty are accepted', {}, 'accepted'),
  validate('PM-002', 'a persistent peer with a valid id is accepted', { Pers: ['a'] }, 'accepted'),
  validate('PM-003', 'a persistent peer needs a valid id', { Pers: ['foo'] }, 'opt-persistent-id'),
  validate('PM-004', 'a persistent peer in upper case is rejected', { Pers: [UPPER] }, 'opt-persistent-id'),
  validate('PM-005', 'three repeats fit three slots', { Pers: ['a', 'a', 'a'], Max: 3 }, 'accepted'),
  validate('PM-006', 'repeats are counted', { Pers: ['a', 'a', 'a'], Max: 2 }, 'opt-persistent-count'),
  validate(
    'PM-007',
    'upgrade slots do not help persistent peers',
    { Pers: ['a', 'a', 'a'], Max: 2, Up: 2 },
    'opt-persistent-count',
  ),
  validate('PM-008', 'no limit fits any number', { Pers: ['a', 'b', 'c', 'd', 'e'], Max: 0 }, 'accepted'),
  validate('PM-009', 'a private peer needs a valid id', { Private: ['foo'] }, 'opt-private-id'),
  validate('PM-010', 'a peer limit needs a connection limit', { Peers: 3, Max: 0 }, 'opt-max-peers'),
  validate('PM-011', 'a peer limit must hold all slots', { Peers: 2, Max: 2, Up: 1 }, 'opt-max-peers'),
  validate('PM-012', 'a peer limit may equal all slots', { Peers: 3, Max: 2, Up: 1 }, 'accepted'),
  validate('PM-013', 'slots are added exactly', { Peers: 10, Max: 65535, Up: 1 }, 'opt-max-peers'),
  validate('PM-014', 'the shortest retry is below the longest', { Min: 7000, MaxR: 5000 }, 'opt-min-gt-max'),
  validate('PM-015', 'the shortest retry may equal the longest', { Min: 5000, MaxR: 5000 }, 'accepted'),
  validate('PM-016', 'a longest retry needs a shortest', { Min: 0, MaxR: 5000 }, 'opt-max-retry-without-min'),
  validate(
    'PM-017',
    'the shortest retry is below the longest of persistent peers',
    { Min: 7000, MaxRP: 5000 },
    'opt-min-gt-max-persistent',
  ),
  validate('PM-018', 'the shortest may equal the persistent longest', { Min: 5000, MaxRP: 5000 }, 'accepted'),
  validate(
    'PM-019',
    'a persistent longest retry needs a shortest',
    { Min: 0, MaxRP: 5000 },
    'opt-max-retry-persistent-without-min',
  ),
  validate('PM-020', 'outgoing connections fit the slots', { Max: 4, Out: 5 }, 'opt-max-outgoing'),
  validate('PM-021', 'outgoing connections may take all slots', { Max: 4, Out: 4 }, 'accepted'),
  validate('PM-022', 'an outgoing limit needs a connection limit', { Max: 0, Out: 5 }, 'opt-max-outgoing'),
  validate('PM-023', 'jitter without retries is harmless', { Jit: 5000, Min: 0 }, 'accepted'),
  validate(
    'PM-009',
    'persistent ids are checked before private ids',
    { Pers: ['foo'], Private: ['foo'] },
    'opt-persistent-id',
  ),
  validate(
    'PM-009',
    'private ids are checked before counts',
    { Pers: ['a', 'b'], Max: 1, Private: ['x'] },
    'opt-private-id',
  ),
  validate(
    'PM-010',
    'persistent counts are checked before peer limits',
    { Pers: ['a', 'b'], Max: 1, Peers: 1, Up: 1 },
    'opt-persistent-count',
  ),
  validate('PM-016', 'peer limits are checked before retries', { Peers: 1, MaxR: 5 }, 'opt-max-peers'),
  validate(
    'PM-019',
    'ordinary retries are checked before persistent ones',
    { MaxR: 5, MaxRP: 5 },
    'opt-max-retry-without-min',
  ),
  validate(
    'PM-020',
    'retries are checked before outgoing connections',
    { MaxRP: 5, Out: 5 },
    'opt-max-retry-persistent-without-min',
  ),
  validate('PM-013', 'ranges are checked before everything', { Max: 65536, Pers: ['foo'] }, 'opt-range'),
];
