test('one', () => undefined);
test('two', () => undefined);
test('three', () => {
  expect('this').toBe('that');
});
