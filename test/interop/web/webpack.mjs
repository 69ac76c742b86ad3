// Builds the program of a folder with webpack as most projects do: node webpack.mjs FOLDER OUT
import path from 'node:path'
import webpack from 'webpack'

const [folder, out] = process.argv.slice(2)
webpack(
  {
    mode: 'production',
    context: folder,
    entry: path.join(folder, 'chat.js'),
    output: { path: out, filename: 'main.js' },
  },
  (error, stats) => {
    if (!error && !stats.hasErrors()) return
    console.error(error ?? stats.toString({ errors: true }))
    process.exit(1)
  },
)
