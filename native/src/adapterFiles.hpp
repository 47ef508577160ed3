// Adapter files: PEFT folders (adapter_config.json, adapter_model.safetensors) in and out, and the
// GGUF LoRA that libllama loads. Reorders rows where GGUF and transformers differ (llama's q, k).
#pragma once

#include <memory>
#include <string>

#include "adapter.hpp"

namespace preflexor {

/**
 * Reads a PEFT LoRA folder as TRL, Unsloth and Axolotl write it, with rank and alpha patterns and
 * rsLoRA's scale. Every module must exist in the model with the right widths.
 * @throws TrainerError "file", "bad-adapter" (DoRA, biases, saved modules … by name)
 */
std::unique_ptr<Adapter> readPeftAdapter(Backend& backend, const Model& model,
                                         const std::string& folder);

/** Writes adapter_config.json and adapter_model.safetensors (F32). @throws TrainerError "file" */
void writePeftAdapter(const Adapter& adapter, const Model& model, const std::string& folder);

/**
 * Writes a GGUF LoRA file. GGUF keeps one alpha; where modules differ in scale, the difference is
 * folded into B. @throws TrainerError "file"
 */
void writeGgufAdapter(const Adapter& adapter, const Model& model, const std::string& path);

/** Writes the adapter's gradients as safetensors under PEFT's tensor names. */
void writePeftGradients(const Adapter& adapter, const Model& model, const std::string& path);

}  // namespace preflexor
