/**
 * Published models, one a line, with the sizes of the config.json in the repository that begins the line. Then its
 * `model_type` and, by letter: L layers, D hidden size, H query/key-value heads x width, F width of the dense MLP,
 * V vocabulary, P positions; W layers with a window / its width; E experts / chosen / width / shared width (K layers
 * without them, `select` a bias for the choice). MLA: H heads alone, Q rank of the query, C latent + rope / nope / value
 * (else 512+64/128/128), I heads of a sparse indexer, M layers for multi-token prediction. `untied` and `tied` where the
 * family is otherwise; the type of the weights where it is not bf16. `=` begins other names of the same sizes.
 */
export const ROWS = `
deepseek-ai/DeepSeek-V3 deepseek_v3 L61 D7168 H128 Q1536 F18432 V129280 P163840 E256/8/2048/2048 K3 select M1 fp8 =V3 =deepseek-ai/DeepSeek-R1 =R1 =deepseek-ai/DeepSeek-V3.1 =deepseek-ai/DeepSeek-V3-0324 =deepseek-ai/DeepSeek-R1-0528
deepseek-ai/DeepSeek-V3.2 deepseek_v32 L61 D7168 H128 Q1536 F18432 V129280 P163840 E256/8/2048/2048 K3 select I64 M1 fp8 =V3.2 =deepseek-ai/DeepSeek-V3.2-Exp
deepseek-ai/DeepSeek-V2 deepseek_v2 L60 D5120 H128 Q1536 F12288 V102400 P163840 E160/6/1536/3072 K1 =V2 =deepseek-ai/DeepSeek-V2.5 =deepseek-ai/DeepSeek-Coder-V2-Instruct
deepseek-ai/DeepSeek-V2-Lite deepseek_v2 L27 D2048 H16 F10944 V102400 P163840 E64/6/1408/2816 K1 =V2-Lite =deepseek-ai/DeepSeek-Coder-V2-Lite-Instruct
moonshotai/Kimi-K2-Instruct kimi_k2 L61 D7168 H64 Q1536 F18432 V163840 P131072 E384/8/2048/2048 K1 select fp8 =Kimi-K2 =moonshotai/Kimi-K2-Base
moonshotai/Moonlight-16B-A3B deepseek_v3 L27 D2048 H16 F11264 V163840 P8192 E64/6/1408/2816 K1 select =Moonlight
moonshotai/Kimi-VL-A3B-Instruct deepseek_v3 L27 D2048 H16 F11264 V163840 P131072 E64/6/1408/2816 K1 select =Kimi-VL
skt/A.X-K1 axk1 L61 D7168 H64 Q1536 F18432 V163840 P32768 E192/8/2048/2048 K1
mistralai/Mistral-Small-4-119B-2603 mistral4 L36 D4096 H32 Q1024 C256+64/64/128 V131072 P1048576 E128/4/2048/2048 =Mistral-Small-4
openbmb/MiniCPM3-4B minicpm3 L62 D2560 H40 Q768 C256+32/64/64 F6400 V73448 P32768 =MiniCPM3
zai-org/GLM-4.7-Flash glm4_moe_lite L47 D2048 H20 Q768 C512+64/192/256 F10240 V154880 P202752 E64/4/1536/1536 K1 select M1
zai-org/GLM-5 glm_moe_dsa L78 D6144 H64 Q2048 C512+64/192/256 F12288 V154880 P202752 E256/8/2048/2048 K3 select I32 M1
tencent/Youtu-LLM-2B youtu_llm L32 D2048 H16 Q1536 F6144 V128256 P131072 =Youtu-LLM
PLM-Team/PLM-1.8B-Instruct plm L32 D2048 H16 F8192 V151936 P4096 =PLM-1.8B
deepseek-ai/deepseek-llm-67b-base llama L95 D8192 H64/8x128 F22016 V102400 P4096 =DeepSeek-67B
deepseek-ai/deepseek-llm-7b-base llama L30 D4096 H32/32x128 F11008 V102400 P4096 =DeepSeek-7B
openai-community/openai-gpt openai-gpt L12 D768 H12/12x64 F3072 V40478 P512 f32 =GPT-1
openai-community/gpt2 gpt2 L12 D768 H12/12x64 F3072 V50257 P1024 f32 =gpt2-small
openai-community/gpt2-medium gpt2 L24 D1024 H16/16x64 F4096 V50257 P1024 f32
openai-community/gpt2-large gpt2 L36 D1280 H20/20x64 F5120 V50257 P1024 f32
openai-community/gpt2-xl gpt2 L48 D1600 H25/25x64 F6400 V50257 P1024 f32
bigcode/starcoder gpt_bigcode L40 D6144 H48/1x128 F24576 V49152 P8192 f32
meta-llama/Llama-2-7b-hf llama L32 D4096 H32/32x128 F11008 V32000 P4096 f16 =Llama-2-7B
meta-llama/Llama-2-13b-hf llama L40 D5120 H40/40x128 F13824 V32000 P4096 f16 =Llama-2-13B
meta-llama/Llama-2-70b-hf llama L80 D8192 H64/8x128 F28672 V32000 P4096 f16 =Llama-2-70B
meta-llama/Meta-Llama-3-8B llama L32 D4096 H32/8x128 F14336 V128256 P8192 =Llama-3-8B
meta-llama/Meta-Llama-3-70B llama L80 D8192 H64/8x128 F28672 V128256 P8192 =Llama-3-70B
meta-llama/Llama-3.1-8B llama L32 D4096 H32/8x128 F14336 V128256 P131072
meta-llama/Llama-3.1-70B llama L80 D8192 H64/8x128 F28672 V128256 P131072 =meta-llama/Llama-3.3-70B-Instruct
meta-llama/Llama-3.1-405B llama L126 D16384 H128/8x128 F53248 V128256 P131072
meta-llama/Llama-3.2-1B llama L16 D2048 H32/8x64 F8192 V128256 P131072 tied
meta-llama/Llama-3.2-3B llama L28 D3072 H24/8x128 F8192 V128256 P131072 tied
TinyLlama/TinyLlama-1.1B-Chat-v1.0 llama L22 D2048 H32/4x64 F5632 V32000 P2048 =TinyLlama
HuggingFaceTB/SmolLM2-135M llama L30 D576 H9/3x64 F1536 V49152 P8192 tied =HuggingFaceTB/SmolLM2-135M-Instruct
HuggingFaceTB/SmolLM2-360M llama L32 D960 H15/5x64 F2560 V49152 P8192 tied
HuggingFaceTB/SmolLM2-1.7B llama L24 D2048 H32/32x64 F8192 V49152 P8192 tied
mistralai/Mistral-7B-v0.1 mistral L32 D4096 H32/8x128 F14336 V32000 P32768 W32/4096
mistralai/Mistral-7B-Instruct-v0.2 mistral L32 D4096 H32/8x128 F14336 V32000 P32768 =Mistral-7B
mistralai/Mixtral-8x7B-v0.1 mixtral L32 D4096 H32/8x128 V32000 P32768 E8/2/14336/0 =Mixtral-8x7B
mistralai/Mixtral-8x22B-Instruct-v0.1 mixtral L56 D6144 H48/8x128 V32768 P65536 E8/2/16384/0 =Mixtral-8x22B
Qwen/Qwen2.5-0.5B qwen2 L24 D896 H14/2x64 F4864 V151936 P32768 tied
Qwen/Qwen2.5-1.5B qwen2 L28 D1536 H12/2x128 F8960 V151936 P131072 tied
Qwen/Qwen2.5-3B qwen2 L36 D2048 H16/2x128 F11008 V151936 P32768 tied
Qwen/Qwen2.5-7B qwen2 L28 D3584 H28/4x128 F18944 V152064 P131072
Qwen/Qwen2.5-72B qwen2 L80 D8192 H64/8x128 F29568 V152064 P131072
Qwen/Qwen3-0.6B qwen3 L28 D1024 H16/8x128 F3072 V151936 P40960 tied
Qwen/Qwen3-4B qwen3 L36 D2560 H32/8x128 F9728 V151936 P40960 tied
Qwen/Qwen3-8B qwen3 L36 D4096 H32/8x128 F12288 V151936 P40960
Qwen/Qwen3-32B qwen3 L64 D5120 H64/8x128 F25600 V151936 P40960
Qwen/Qwen3-30B-A3B qwen3_moe L48 D2048 H32/4x128 V151936 P40960 E128/8/768/0
Qwen/Qwen3-235B-A22B qwen3_moe L94 D4096 H64/4x128 V151936 P40960 E128/8/1536/0
google/gemma-3-270m gemma3_text L18 D640 H4/1x256 F2048 V262144 P32768 W15/512
google/gemma-3-1b-it gemma3_text L26 D1152 H4/1x256 F6912 V262144 P32768 W22/512 =gemma-3-1b
google/gemma-2-2b gemma2 L26 D2304 H8/4x256 F9216 V256000 P8192 W13/4096
openai/gpt-oss-20b gpt_oss L24 D2880 H64/8x64 V201088 P131072 W12/128 E32/4/2880/0 mxfp4
openai/gpt-oss-120b gpt_oss L36 D2880 H64/8x64 V201088 P131072 W18/128 E128/4/2880/0 mxfp4
tiiuae/falcon-7b falcon L32 D4544 H71/1x64 F18176 V65024 P2048
tiiuae/falcon-40b falcon L60 D8192 H128/8x64 F32768 V65024 P2048 norms2
microsoft/Phi-3-mini-4k-instruct phi3 L32 D3072 H32/32x96 F8192 V32064 P4096 W32/2047
microsoft/Phi-4-mini-instruct phi3 L32 D3072 H24/8x128 F8192 V200064 P131072 tied
microsoft/phi-4 phi3 L40 D5120 H40/10x128 F17920 V100352 P16384
HuggingFaceTB/SmolLM3-3B smollm3 L36 D2048 H16/4x128 F11008 V128256 P65536
ibm-granite/granite-3.3-2b-instruct granite L40 D2048 H32/8x64 F8192 V49159 P131072 tied
zai-org/GLM-4-9B-0414 glm4 L40 D4096 H32/2x128 F13696 V151552 P32768 =zai-org/GLM-Z1-9B-0414
allenai/OLMo-2-1124-7B olmo2 L32 D4096 H32/32x128 F11008 V100352 P4096 =allenai/OLMo-2-1124-7B-Instruct
baidu/ERNIE-4.5-0.3B-PT ernie4_5 L18 D1024 H16/2x128 F3072 V103424 P131072
tencent/Hunyuan-1.8B-Instruct hunyuan_v1_dense L32 D2048 H16/4x128 F6144 V120818 P262144 tied
mistralai/Ministral-3-3B-Instruct-2512 ministral3 L26 D3072 H32/8x128 F9216 V131072 P262144 tied
mistralai/Ministral-3-8B-Instruct-2512 ministral3 L34 D4096 H32/8x128 F14336 V131072 P262144`
