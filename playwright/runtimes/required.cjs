const { loadTokenizer } = require('webgguf');

loadTokenizer(process.argv[2]).then(({ info }) => console.log(info.vocabularySize));
