const { readdirSync } = require('node:fs')
const { join } = require('node:path')

// Imports point one way. Each room names the rooms it may import; everything else is an error, and so is a cycle.
const rooms = {
  options: [],
  charts: [],
  tensor: [],
  opfs: [],
  files: [],
  templates: [],
  grammar: ['formats'],
  sampling: [],
  formats: [],
  quant: ['tensor'],
  kernels: ['quant', 'tensor'],
  tokenizer: ['templates'],
  cache: ['files', 'opfs', 'kernels', 'tensor'],
  checkpoint: ['files', 'opfs', 'kernels', 'quant', 'tensor'],
  nn: ['cache', 'kernels', 'quant', 'tensor'],
  families: ['nn', 'checkpoint', 'kernels', 'tensor'],
  model: ['families', 'nn', 'cache', 'checkpoint', 'kernels', 'quant', 'tensor'],
  adapter: ['model', 'families', 'nn', 'checkpoint', 'kernels', 'tensor'],
  speculation: ['model', 'nn', 'sampling', 'cache', 'kernels', 'tensor'],
  embedding: ['model', 'nn', 'tokenizer', 'checkpoint'],
  reading: ['model', 'nn', 'tokenizer', 'kernels', 'tensor'],
  planning: ['model', 'families', 'nn', 'checkpoint', 'cache', 'kernels', 'quant', 'tensor'],
  conversion: ['files', 'adapter', 'model', 'families', 'nn', 'tokenizer', 'checkpoint', 'kernels', 'quant', 'tensor'],
  latentify: [
    ...['charts', 'files', 'training', 'evaluation', 'engine', 'conversion', 'reading', 'model', 'nn', 'sampling'],
    ...['tokenizer', 'checkpoint', 'kernels', 'quant', 'tensor'],
  ],
  engine: [
    ...[
      'files',
      'opfs',
      'formats',
      'adapter',
      'embedding',
      'reading',
      'speculation',
      'model',
      'nn',
      'grammar',
      'sampling',
    ],
    ...['tokenizer', 'checkpoint', 'cache', 'kernels', 'quant', 'tensor'],
  ],
  // Tools for chats, from servers: types of the engine alone.
  mcp: ['engine', 'formats'],
  'ai-sdk': ['engine', 'formats', 'grammar'],
  inspection: ['engine', 'embedding', 'model', 'nn', 'tokenizer', 'checkpoint', 'cache', 'kernels', 'quant', 'tensor'],
  training: [
    ...[
      'attention',
      'files',
      'engine',
      'formats',
      'evaluation',
      'adapter',
      'conversion',
      'model',
      'nn',
      'sampling',
      'tokenizer',
      'checkpoint',
      'kernels',
      'quant',
      'tensor',
    ],
  ],
  attention: ['engine', 'reading', 'nn', 'sampling', 'cache', 'kernels', 'tensor'],
  evaluation: ['files', 'engine', 'model', 'nn', 'sampling', 'tokenizer', 'checkpoint', 'kernels', 'quant'],
}

// The same inside the engine.
const engine = {
  types: [],
  wire: ['types'],
  api: ['wire', 'types'],
  past: ['types'],
  load: ['past', 'types'],
  loop: ['past', 'wire', 'types'],
  prompt: ['loop', 'load', 'past', 'wire', 'types'],
  saved: ['loop', 'load', 'past', 'types'],
  'host(?!/(node|web))': ['prompt', 'loop', 'saved', 'load', 'past', 'wire', 'types'],
  'host/node': ['api', 'host', 'load', 'types'],
  'host/web': ['api', 'host', 'saved', 'load', 'types'],
}

// The same in the server.
const belowDialects = {
  answers: [],
  models: ['answers'],
  metrics: ['answers'],
  http: [],
  slots: [],
  service: ['answers', 'models', 'metrics', 'http', 'slots'],
}
// Every other folder of it is a dialect, and knows no other.
const dialect = ['http', 'service', 'slots', 'answers', 'models']
const server = Object.fromEntries(
  readdirSync(join(__dirname, 'apps/server'), { withFileTypes: true })
    .filter(entry => entry.isDirectory())
    .map(({ name }) => [name, belowDialects[name] ?? dialect]),
)

// Who may use Node's modules. All others run in a browser as they are, so they may not import these, either.
const node = [
  ...['files', 'cache/disk', 'kernels/core/node', 'checkpoint/(find|store)', 'checkpoint/source/file-source'],
  'checkpoint/hub/(cache-layout|disk|download-blob|download-model|hub-client|lock|options)',
  'model/open/open-model',
  'ai-sdk',
  ...[
    'engine/host/node',
    'grammar/node',
    'planning/(measure|read/open)',
    'inspection',
    'conversion',
    'latentify',
    'evaluation',
    'training/run',
    'attention/open',
  ],
]
const NODE = `^src/(${node.join('|')})(/|\\.ts$)`
// The front doors, and what is loaded only when it is called.
const COMPOSED = '^src/(index|tools|for-apps|planning/lazy|(training|attention)/index)\\.ts$'

// Kernel sets know the contract and the table of operations, and nothing of each other.
const kernels = {
  contract: ['operations'],
  operations: ['contract'],
  reference: ['contract', 'operations'],
  core: ['contract', 'operations'],
}

/** Rooms in a folder, and what else all of them may import. */
const walls = (folder, rooms, common) =>
  Object.entries(rooms).map(([room, allowed]) => ({
    name: `${folder.replace('src/', '')}${room}-imports`,
    severity: 'error',
    from: { path: `^${folder}${room}/` },
    to: {
      path: folder === 'src/' ? '^(src|apps)/' : `^${folder}`,
      pathNot: `^${folder}(${[room, ...allowed].join('|')})/${common}`,
    },
  }))

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    // Checked values and errors are everybody's.
    ...walls('src/', rooms, '|^src/options/|^src/(byte-text|errors|printable|sha256|version)\\.ts$'),
    ...walls('src/engine/', engine, ''),
    ...walls('src/kernels/', kernels, ''),
    ...walls('apps/server/', server, '|^apps/server/(failure|options)\\.ts$'),
    {
      name: 'apps-meet-at-doors',
      severity: 'error',
      from: { path: '^apps/(?!server/)' },
      to: { path: '^apps/server/', pathNot: '^apps/server/(index|options)\\.ts$' },
    },
    {
      name: 'the-server-knows-no-other-app',
      severity: 'error',
      from: { path: '^apps/server/' },
      to: { path: '^apps/', pathNot: '^apps/server/' },
    },
    {
      name: 'node-is-behind-ports',
      severity: 'error',
      from: { path: '^src/', pathNot: [NODE, COMPOSED] },
      to: { path: NODE },
    },
    {
      name: 'node-only-where-it-is-named',
      severity: 'error',
      from: { path: '^src/', pathNot: NODE },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'apps-import-only-front-doors',
      severity: 'error',
      from: { path: '^apps/' },
      to: {
        path: '^src/',
        pathNot: '^src/(index|browser|tools|planning/index|mcp/index|training/index|for-apps)\\.ts$',
      },
    },
    // The chat page runs in a browser: it knows the server by HTTP only. What it computes knows nothing of what it shows.
    { name: 'page-is-alone', severity: 'error', from: { path: '^apps/page/' }, to: { path: '^(src|apps/(?!page/))' } },
    {
      name: 'page-texts-are-pure',
      severity: 'error',
      from: { path: '^apps/page/(wire|talk)/' },
      to: { path: '^apps/page/(store|markdown|view)/' },
    },
    {
      name: 'page-views-come-last',
      severity: 'error',
      from: { path: '^apps/page/(store|markdown)/' },
      to: { path: '^apps/page/view/' },
    },
    // The explorer runs in a browser, on the planner and the engine there; it looks like the chat page.
    {
      name: 'explorer-is-for-browsers',
      severity: 'error',
      from: { path: '^apps/explorer/' },
      to: { path: '^(src|apps)/', pathNot: '^(apps/(explorer|page)/|src/(browser|planning/index)\\.ts$)' },
    },
    {
      name: 'explorer-views-come-last',
      severity: 'error',
      from: { path: '^apps/explorer/(state|numbers|drawing)/' },
      to: { path: '^apps/explorer/view/' },
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
