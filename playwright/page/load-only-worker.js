// The package's worker, for tests of loading alone.
import './load-only.js';
import '/pkg/worker.js';
