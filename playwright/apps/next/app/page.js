'use client';

import { useEffect, useRef } from 'react';

import { say } from '../src/say.js';

let saying;

export default function Page() {
  const output = useRef(null);
  useEffect(() => {
    saying ??= say(output.current); // In development React runs effects twice.
  }, []);
  return <output ref={output} />;
}
