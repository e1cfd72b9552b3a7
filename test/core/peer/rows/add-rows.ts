import type { Row } from '../row.ts';

export const ADD_ROWS: readonly Row[] = [
  {
    no: 'PM-037',
    title: 'the first address of a peer is added, written and wakes the dialer',
    then: [
      ['add m:a', 'added'],
      ['effects', 'put:a wakeDial'],
      ['peers', 'a'],
      ['addresses a', 'm:a'],
      ['stored', 'a'],
    ],
  },
  {
    no: 'PM-038',
    title: 'an address known already changes nothing',
    given: ['add m:a'],
    then: [
      ['add m:a', 'duplicate'],
      ['effects', 'nothing'],
      ['addresses a', 'm:a'],
    ],
  },
  {
    no: 'PM-039',
    title: 'a second address joins the first',
    given: ['add m:a'],
    then: [
      ['add t:a:localhost', 'added'],
      ['effects', 'put:a wakeDial'],
      ['peers', 'a'],
      ['addresses a', 'm:a t:a:localhost'],
    ],
  },
  {
    no: 'PM-040',
    title: 'an invalid address is refused',
    then: [
      ['add {"protocol":"mconn","path":"foo"}', 'InvalidAddress{id-missing}'],
      ['effects', 'nothing'],
      ['peers', '-'],
      ['stored', '-'],
    ],
  },
  {
    no: 'PM-041',
    title: 'our own address is refused',
    then: [
      ['add m:0', 'SelfAddress'],
      ['effects', 'nothing'],
      ['peers', '-'],
    ],
  },
  {
    no: 'PM-042',
    title: 'a persistent newcomer takes the place of the lowest scored',
    options: { Pers: ['a', 'c'], Peers: 2, Max: 2 },
    given: ['add t:a:localhost', 'add m:a', 'add t:b:localhost'],
    then: [
      ['add t:c:localhost', 'added'],
      ['effects', 'put:c delete:b wakeDial'],
      ['known', 'a c'],
    ],
  },
  {
    no: 'PM-043',
    title: 'a newcomer that scores lowest is refused',
    options: { Peers: 1, Max: 1, Scores: { a: 5 } },
    given: ['add m:a'],
    then: [
      ['add m:b', 'store-full'],
      ['effects', 'nothing'],
      ['peers', 'a'],
      ['stored', 'a'],
    ],
  },
  {
    no: 'PM-044',
    title: 'a newcomer never displaces an equal',
    options: { Peers: 2, Max: 2 },
    given: ['add m:a', 'add m:b'],
    then: [
      ['add m:c', 'store-full'],
      ['known', 'a b'],
    ],
  },
  {
    no: 'PM-045',
    title: 'a newcomer displaces a lower scored peer',
    options: { Peers: 2, Max: 2 },
    given: ['add m:a', 'dialFailed m:a', 'add m:b'],
    then: [
      ['score a', '-1'],
      ['add m:c', 'added'],
      ['known', 'b c'],
      ['stored', 'b c'],
    ],
  },
  {
    no: 'PM-046',
    title: 'an inactive peer takes no new address',
    given: ['add m:a', 'inactivate a'],
    then: [
      ['add t:a:x', 'inactive'],
      ['effects', 'nothing'],
      ['addresses a', 'm:a'],
    ],
  },
  {
    no: 'PM-047',
    title: 'a known address is a duplicate also of an inactive peer',
    given: ['add m:a', 'inactivate a'],
    then: [['add m:a', 'duplicate']],
  },
  {
    no: 'PM-048',
    title: 'a connected peer takes an address and is not dialled',
    given: ['accepted a'],
    then: [
      ['add m:a', 'added'],
      ['effects', 'put:a wakeDial'],
      ['connected', 'a inbound'],
      ['dialNext', 'none'],
    ],
  },
  {
    no: 'PM-049',
    title: 'a path that repeats the id is the same address',
    given: ['add m:a'],
    then: [
      ['add {"protocol":"memory","nodeId":"a","path":"ID"}', 'duplicate'],
      ['addresses a', 'm:a'],
    ],
  },
  {
    no: 'PM-050',
    title: 'an address that does not read back is refused',
    then: [['add {"protocol":"mconn","nodeId":"a","hostname":"ho_st"}', 'InvalidAddress{roundtrip}']],
  },
  {
    no: 'PM-051',
    title: 'hosts are compared in lower case',
    then: [
      ['add {"protocol":"tcp","nodeId":"a","hostname":"HOST"}', 'added'],
      ['addresses a', 't:a:host'],
      ['add {"protocol":"tcp","nodeId":"a","hostname":"host"}', 'duplicate'],
    ],
  },
  {
    no: 'PM-052',
    title: 'an IPv6 address without a port survives a restart',
    given: ['add t:a:[::1]'],
    then: [
      ['addresses a', 't:a:[::1]'],
      ['restart', 'ok'],
      ['addresses a', 't:a:[::1]'],
    ],
  },
  {
    no: 'PM-053',
    title: 'the address limit refuses one more',
    options: { maxAddressesPerPeer: 2 },
    given: ['add m:a', 'add t:a:x'],
    then: [
      ['add t:a:y', 'address-limit'],
      ['effects', 'nothing'],
      ['addresses a', 'm:a t:a:x'],
    ],
  },
  {
    no: 'PM-054',
    title: 'at the address limit a failed address gives way',
    options: { maxAddressesPerPeer: 2 },
    given: ['add m:a', 'add t:a:x', 'dialFailed t:a:x'],
    then: [
      ['add t:a:y', 'added'],
      ['addresses a', 'm:a t:a:y'],
    ],
  },
  {
    no: 'PM-055',
    title: 'adding wakes the dialer also when every slot is taken',
    options: { Max: 1 },
    given: ['accepted a'],
    then: [
      ['add m:b', 'added'],
      ['effects', 'put:b wakeDial'],
      ['dialNext', 'none'],
    ],
  },
  {
    no: 'PM-056',
    title: 'a persistent peer is stored beyond the limit',
    options: { Max: 2, Peers: 2, Pers: ['e'] },
    given: ['accepted a', 'accepted b'],
    then: [
      ['add m:e', 'added'],
      ['known', 'a b e'],
    ],
  },
];
