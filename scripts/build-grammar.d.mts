export declare const RUSTC: string
export declare const OUTPUT: string
export declare function rustProblem(): Promise<string | null>
export declare function buildGrammar(output: string): Promise<void>
