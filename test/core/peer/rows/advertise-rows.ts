import type { NodeAddress } from '../../../../src/core/node-address.ts';
import type { Row } from '../row.ts';
import { id } from '../shorthand.ts';

const SELF: NodeAddress = { protocol: 'tcp', nodeId: id('0'), hostname: 'h', port: 1, path: '' };
const THREE = { Scores: { a: 3, b: 2, c: 1 } };
const SIX = ['add m:a', 'add t:a:h', 'add m:b', 'add t:b:h', 'add m:c', 'add t:c:h'];

export const ADVERTISE_ROWS: readonly Row[] = [
  {
    no: 'PM-223',
    title: 'everything is told when there is room',
    options: THREE,
    given: SIX,
    then: [['advertise d 100', 'm:a t:a:h m:b t:b:h m:c t:c:h']],
  },
  {
    no: 'PM-224',
    title: 'a peer is never told its own addresses',
    options: THREE,
    given: SIX,
    then: [['advertise a 100', 'm:b t:b:h m:c t:c:h']],
  },
  {
    no: 'PM-225',
    title: 'a limit of 0 tells nothing',
    options: { Scores: { a: 3, b: 2 } },
    given: SIX.slice(0, 4),
    then: [['advertise a 0', '-']],
  },
  {
    no: 'PM-227',
    title: 'our own address is told',
    options: { selfAddress: SELF },
    then: [['advertise d 100', 't:0:h:1']],
  },
  {
    no: 'PM-228',
    title: 'our own address takes nobody’s place',
    options: { selfAddress: SELF },
    given: ['add m:a', 'add m:b'],
    then: [['advertise d 100', 't:0:h:1 m:a m:b']],
  },
  {
    no: 'PM-229',
    title: 'the limit covers our own address',
    options: { selfAddress: SELF },
    then: [['advertise d 0', '-']],
  },
  {
    no: 'PM-230',
    title: 'our own address comes first',
    options: { selfAddress: SELF },
    given: ['add m:a', 'add m:b'],
    then: [['advertise d 1', 't:0:h:1']],
  },
  {
    no: 'PM-231',
    title: 'our own address without a port is not told',
    options: { selfAddress: { ...SELF, port: 0 } },
    given: ['add m:a'],
    then: [['advertise d 100', 'm:a']],
  },
  {
    no: 'PM-231',
    title: 'our own address without a host is not told',
    options: { selfAddress: { ...SELF, hostname: '', port: 0 } },
    given: ['add m:a'],
    then: [['advertise d 100', 'm:a']],
  },
  {
    no: 'PM-232',
    title: 'private peers are not told and take nobody’s place',
    options: { Private: ['c'], Scores: { c: 9 } },
    given: ['add m:a', 'add m:b', 'add m:c'],
    then: [['advertise d 100', 'm:a m:b']],
  },
  {
    no: 'PM-233',
    title: 'only private peers, nothing told',
    options: { Private: ['a'] },
    given: ['add m:a'],
    then: [['advertise d 100', '-']],
  },
  {
    no: 'PM-234',
    title: 'inactive peers are not told',
    given: ['add m:a', 'inactivate a', 'add m:b'],
    then: [['advertise d 100', 'm:b']],
  },
  {
    no: 'PM-236',
    title: 'a peer without addresses contributes nothing',
    given: ['accepted a', 'add m:b'],
    then: [['advertise d 10', 'm:b']],
  },
];
