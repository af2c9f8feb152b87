import { describe, expect, test } from '@jest/globals';
import { appearanceJsonSchema, parseAppearance } from '@sigillum/appearances';

const place = { rectangle: [20, 20, 220, 90] };
const wrong = (pointer: string) => ({ code: 'appearance_invalid', fields: [expect.objectContaining({ pointer })] });

describe('The JSON of an appearance', () => {
  const mistakes: [string, unknown, string][] = [
    ['is no object', [], ''],
    ['has an unknown name', { colour: '#000000' }, '/colour'],
    ['has an unknown name in a part', { border: { radius: 3 } }, '/border/radius'],
    ['has a page 0', { page: 0 }, '/page'],
    ['has half a page', { page: 1.5 }, '/page'],
    ['has three corners', { rectangle: [1, 2, 3] }, '/rectangle'],
    ['has text for a corner', { rectangle: [1, 2, 3, '4'] }, '/rectangle/3'],
    ['has a rectangle without an area', { rectangle: [10, 10, 5, 20] }, '/rectangle'],
    ['has two places', { ...place, anchor: { text: 'x', width: 50, height: 50 } }, '/anchor'],
    ['has an anchor without a width', { anchor: { text: 'x', height: 50 } }, '/anchor/width'],
    ['has an empty anchor', { anchor: { text: '', width: 50, height: 50 } }, '/anchor/text'],
    [
      'has an unknown position',
      { anchor: { text: 'x', width: 50, height: 50, position: 'beside' } },
      '/anchor/position',
    ],
    ['has an unknown template', { template: 'fancy' }, '/template'],
    ['has a template without its image', { template: 'logo-left' }, '/image'],
    ['has an image that the template leaves out', { template: 'text', image: 'AAAA' }, '/image'],
    ['has a code that the template leaves out', { template: 'text', qr: 'https://a.example/' }, '/qr'],
    ['has nothing to say', { title: '', text: '' }, '/text'],
    ['has text that a logo has no room for', { template: 'qr', qr: 'https://a.example/', text: 'x' }, '/text'],
    ['has a lonely brace', { text: 'a } b' }, '/text'],
    ['has a field of a strange name', { title: '{Name}' }, '/title'],
    ['has a colour by name', { color: 'red' }, '/color'],
    ['has a font size of 2', { font_size: 2 }, '/font_size'],
    ['has another date format', { date_format: 'd.m.y' }, '/date_format'],
    ['has an offset of a day', { utc_offset: '+24:00' }, '/utc_offset'],
    ['has an image that is no base64', { image: 'data:image/png;base64,AAAA' }, '/image'],
    ['has a code of a script', { qr: 'javascript:alert(1)' }, '/qr'],
    ['has half a character', { text: '\ud800' }, '/text'],
    ['has too much text', { text: 'x'.repeat(1001) }, '/text'],
  ];
  test.each(mistakes)('is refused when it %s', (_, json, pointer) => {
    expect(() => parseAppearance(json)).toThrow(expect.objectContaining(wrong(pointer)));
  });

  test('names every mistake at once', () => {
    const problems = (() => {
      try {
        parseAppearance({ page: 'x', color: 1, rectangle: 2 });
      } catch (error) {
        return (error as { fields: { pointer: string }[] }).fields.map(({ pointer }) => pointer);
      }
    })();
    expect(problems).toEqual(['/page', '/color', '/rectangle']);
  });

  test('gets the defaults that the schema names', () => {
    const { properties } = appearanceJsonSchema;
    expect(parseAppearance({})).toMatchObject({
      template: 'text',
      title: properties.title.default,
      text: properties.text.default,
      align: 'left',
      dateFormat: 'yyyy-mm-dd',
      utcOffset: 0,
      colour: properties.color.default,
    });
    expect(parseAppearance({ qr: 'https://a.example/' }).template).toBe('qr-right');
    expect(parseAppearance({ image: 'AAAA', title: '', text: '' }).template).toBe('logo');
    expect(parseAppearance({ image: 'AAAA', qr: 'https://a.example/' }).template).toBe('logo-left-qr-right');
    expect(parseAppearance({ utc_offset: '-03:30' }).utcOffset).toBe(-210);
  });
});
