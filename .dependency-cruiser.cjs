// Imports point one way: apps -> src/index.ts -> engine -> model, sampling, tokenizer -> attention -> cache ->
// kernels -> tensor; checkpoint stands beside engine. Each room names what it may import; everything else is an error.
const rooms = {
  options: [],
  tensor: [],
  kernels: ['tensor'],
  files: [],
  cache: ['files', 'kernels', 'tensor'],
  attention: ['cache', 'kernels', 'tensor'],
  checkpoint: ['files', 'kernels', 'tensor'],
  model: ['attention', 'cache', 'checkpoint', 'kernels', 'tensor'],
  templates: [],
  tokenizer: ['templates'],
  sampling: [],
  speculation: ['model', 'sampling', 'cache', 'kernels', 'tensor'],
  planning: ['model', 'checkpoint', 'attention', 'cache', 'kernels', 'tensor'],
  evaluation: ['files', 'engine', 'model', 'sampling', 'tokenizer', 'checkpoint', 'kernels'],
  conversion: ['files', 'model', 'tokenizer', 'checkpoint', 'attention', 'kernels', 'tensor'],
  engine: [
    'files',
    'speculation',
    'model',
    'sampling',
    'tokenizer',
    'checkpoint',
    'attention',
    'cache',
    'kernels',
    'tensor',
  ],
}
module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    ...Object.entries(rooms).map(([room, allowed]) => ({
      name: `${room}-imports`,
      severity: 'error',
      from: { path: `^src/${room}/` },
      to: {
        path: '^(src|apps)/',
        // Checked values and errors are everybody's.
        pathNot: `^src/(${['options', room, ...allowed].join('|')})/|^src/(byte-text|errors|printable|version)\\.ts$`,
      },
    })),
    {
      name: 'apps-import-only-index',
      severity: 'error',
      from: { path: '^apps/' },
      to: { path: '^src/', pathNot: '^src/(index|for-apps)\\.ts$' },
    },
    {
      name: 'kernels-do-not-know-each-other',
      severity: 'error',
      from: { path: '^src/kernels/([^/]+)/' },
      to: { path: '^src/kernels/[^/]+/', pathNot: '^src/kernels/($1|blocks)/|^src/kernels/halves\\.ts$' },
    },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'node', 'default'] },
  },
}
