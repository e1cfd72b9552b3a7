import { expect } from 'chai';
import { printableText } from '../../src/cli/output.ts';
import { cutLine, paintLine, span, widthOf } from '../../src/cli/terminal.ts';

const LINE = [span('one', 'bold'), span(' '), span('two', 'red')];

describe('texts of strangers', () => {
  it('lose all that could control the terminal', () => {
    expect(printableText('a\u001b[2Jb\nc\u202ed')).to.equal('a\ufffd[2Jb\ufffdc\ufffdd');
    expect(printableText('grüße, 世界 🙂')).to.equal('grüße, 世界 🙂');
  });
});

describe('lines of the terminal', () => {
  it('are as wide as their text, whatever their style', () => {
    expect(widthOf(LINE)).to.equal(7);
  });

  it('have escape sequences with colour, and none without', () => {
    expect(paintLine(LINE, true)).to.equal('\u001b[1mone\u001b[0m \u001b[31mtwo\u001b[0m');
    expect(paintLine(LINE, false)).to.equal('one two');
  });

  it('are cut to a width, with a mark', () => {
    expect(paintLine(cutLine(LINE, 7), false)).to.equal('one two');
    expect(paintLine(cutLine(LINE, 6), false)).to.equal('one t…');
    expect(paintLine(cutLine(LINE, 4), false)).to.equal('one…');
    expect(paintLine(cutLine(LINE, 1), false)).to.equal('…');
  });
});
