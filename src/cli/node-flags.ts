import { Option, type Command } from 'commander';
import { NODE_SETTINGS, SETTING_NAMES, type SettingName } from './node-settings.ts';

/** Adds a flag for each setting. */
export function addSettingFlags(command: Command): void {
  for (const name of SETTING_NAMES) command.addOption(flagOf(name));
}

/** What was said by flags, unchecked; numbers as numbers where one is wanted. */
export function givenFlags(command: Command): Partial<Record<SettingName, unknown>> {
  const given: Partial<Record<SettingName, unknown>> = {};
  for (const name of SETTING_NAMES) {
    const attribute = flagOf(name).attributeName();
    if (command.getOptionValueSource(attribute) !== 'cli') continue;
    const value: unknown = command.getOptionValue(attribute);
    given[name] = NODE_SETTINGS[name].isNumber ? asNumber(value) : value;
  }
  return given;
}

function flagOf(name: SettingName): Option {
  const { argument, about } = NODE_SETTINGS[name];
  return new Option(argument === '' ? `--no-${name}` : `--${name} ${argument}`, about);
}

/** The number that a text of digits stands for; anything else as it is, to be complained about. */
function asNumber(value: unknown): unknown {
  return typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
}
