/** Statecharts as text, generated from the machines themselves: a picture that cannot lag behind the code. */
import type { AnyStateMachine } from '../machines/xstate.ts';

export interface ChartTransition {
  /** Event type, `after <delay>` for a timer, or `always`. */
  readonly event: string;
  readonly guard?: string;
  /** Full ids of the target states; empty when the state stays. */
  readonly targets: readonly string[];
  readonly actions: readonly string[];
}

export interface ChartState {
  /** Full id, for example `peer.handshaking.judging`. */
  readonly id: string;
  readonly key: string;
  readonly type: 'atomic' | 'compound' | 'parallel' | 'final' | 'history';
  readonly description?: string;
  /** Full id of the initial child. */
  readonly initial?: string;
  readonly entry: readonly string[];
  readonly transitions: readonly ChartTransition[];
  readonly states: readonly ChartState[];
}

export type ChartJson = ChartState;

type StateNode = AnyStateMachine['root'];

const AFTER = 'xstate.after.';

/** The chart of a machine as plain data, states in the order they are written. */
export function chartToJson(machine: AnyStateMachine): ChartJson {
  return stateOf(machine.root);
}

function stateOf(node: StateNode): ChartState {
  const target: readonly StateNode[] = node.type === 'compound' ? node.initial.target : [];
  const initial = target[0]?.id;
  return {
    id: node.id,
    key: node.key,
    type: node.type,
    ...(node.description === undefined ? {} : { description: node.description }),
    ...(initial === undefined ? {} : { initial }),
    entry: node.entry.map((action: unknown) => nameOf(action)),
    transitions: [...node.transitions.values()].flat().map((transition) => {
      const guard = transition.guard === undefined ? undefined : nameOf(transition.guard);
      return {
        event: eventName(String(transition.eventType)),
        ...(guard === undefined ? {} : { guard }),
        targets: (transition.target ?? []).map(({ id }) => id),
        actions: transition.actions.map(nameOf),
      };
    }),
    states: Object.values(node.states).map((child) => stateOf(child)),
  };
}

/** Entry and exit actions that XState adds for delays are not the author's. */
function isNamed(name: string): boolean {
  return name !== '' && !name.startsWith('xstate.');
}

function nameOf(reference: unknown): string {
  if (typeof reference === 'string') return reference;
  if (typeof reference === 'object' && reference !== null && 'type' in reference)
    return String(reference.type);
  return '';
}

function eventName(eventType: string): string {
  if (eventType === '') return 'always';
  if (!eventType.startsWith(AFTER)) return eventType;
  return `after ${eventType.slice(AFTER.length).split('.', 1)[0] ?? ''}`;
}

/** The chart as a Mermaid state diagram, the same text for the same machine. */
export function chartToMermaid(machine: AnyStateMachine): string {
  const root = chartToJson(machine);
  const lines = ['stateDiagram-v2'];
  writeStates(root, 1, lines);
  const living = root.states.filter(({ type }) => type !== 'final');
  for (const { id } of living) writeTransitions(id, root.transitions, 1, lines);
  return `${lines.join('\n')}\n`;
}

function writeStates(parent: ChartState, depth: number, lines: string[]): void {
  const indent = '  '.repeat(depth);
  if (parent.initial !== undefined) lines.push(`${indent}[*] --> ${mermaidId(parent.initial)}`);
  parent.states.forEach((state, index) => {
    if (parent.type === 'parallel' && index > 0) lines.push(`${indent}--`);
    writeState(state, depth, lines);
  });
}

function writeState(state: ChartState, depth: number, lines: string[]): void {
  const indent = '  '.repeat(depth);
  const id = mermaidId(state.id);
  lines.push(`${indent}state "${state.key}" as ${id}`);
  if (state.states.length > 0) {
    lines.push(`${indent}state ${id} {`);
    writeStates(state, depth + 1, lines);
    lines.push(`${indent}}`);
  }
  if (state.type === 'final') lines.push(`${indent}${id} --> [*]`);
  writeTransitions(state.id, state.transitions, depth, lines);
}

function writeTransitions(
  source: string,
  transitions: readonly ChartTransition[],
  depth: number,
  lines: string[],
): void {
  for (const { event, guard, targets, actions } of transitions) {
    const condition = guard === undefined ? '' : ` [${guard}]`;
    const effects = actions.filter(isNamed);
    const label = `${event}${condition}${effects.length === 0 ? '' : ` / ${effects.join(', ')}`}`;
    for (const target of targets) {
      lines.push(`${'  '.repeat(depth)}${mermaidId(source)} --> ${mermaidId(target)}: ${label}`);
    }
  }
}

function mermaidId(id: string): string {
  return id.replaceAll(/[^a-zA-Z0-9]/g, '_');
}

/** A page about the chart: the diagram, then every state with what it means. */
export function chartToMarkdown(machine: AnyStateMachine): string {
  const root = chartToJson(machine);
  const rows = flatten(root)
    .filter(({ description }) => description !== undefined)
    .map(({ id, entry, description }) => {
      const effects = entry.filter(isNamed).join(', ');
      return `| \`${id.slice(root.id.length + 1)}\` | ${description!} | ${effects} |`;
    });
  const head = ['| state | meaning | on entry |', '| --- | --- | --- |'];
  return `# ${root.key}\n\n\`\`\`mermaid\n${chartToMermaid(machine)}\`\`\`\n\n${[...head, ...rows].join('\n')}\n`;
}

function flatten(state: ChartState): ChartState[] {
  return state.states.flatMap((child) => [child, ...flatten(child)]);
}
