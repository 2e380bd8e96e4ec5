// Ways to begin, by what the model can do.
export const STARTERS = {
  novel: [
    'It was already late when Prince Andrew',
    'The battle began',
    'Natásha laughed, and',
  ],
  text: ['Once upon a time', 'The most important thing about'],
  chat: [
    'Explain why the sky is blue, to a child of six',
    'Write a haiku about the sea at night',
    'Show me a quicksort in Python',
  ],
};
