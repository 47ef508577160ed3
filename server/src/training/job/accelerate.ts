// How accelerate starts a job: on one GPU, on several by FSDP, on several by DeepSpeed. Pure.
import { stringify } from 'yaml';

const common = {
  compute_environment: 'LOCAL_MACHINE',
  machine_rank: 0,
  main_training_function: 'main',
  num_machines: 1,
  rdzv_backend: 'static',
  same_network: true,
  use_cpu: false,
};

/** DeepSpeed has it in its own file. */
const inBf16 = { mixed_precision: 'bf16' };

/** How many GPUs a configuration starts with; `--num_processes` says another number. */
const severalGpus = 2;

/** Contents by name. */
export function accelerateFiles(): [string, string][] {
  const single = { ...common, ...inBf16, distributed_type: 'NO', num_processes: 1 };
  const fsdp = {
    ...common,
    ...inBf16,
    distributed_type: 'FSDP',
    num_processes: severalGpus,
    fsdp_config: {
      fsdp_version: 2,
      fsdp_auto_wrap_policy: 'TRANSFORMER_BASED_WRAP',
      fsdp_reshard_after_forward: true,
      fsdp_cpu_ram_efficient_loading: false,
      fsdp_offload_params: false,
      fsdp_state_dict_type: 'FULL_STATE_DICT',
    },
  };
  const deepspeed = {
    ...common,
    distributed_type: 'DEEPSPEED',
    num_processes: severalGpus,
    deepspeed_config: { deepspeed_config_file: 'accelerate/zero2.json', zero3_init_flag: false },
  };
  return [
    ['accelerate/single.yaml', stringify(single)],
    ['accelerate/fsdp.yaml', stringify(fsdp)],
    ['accelerate/deepspeed.yaml', stringify(deepspeed)],
    ['accelerate/zero2.json', `${JSON.stringify(zero2, null, 2)}\n`],
  ];
}

/** "auto" is filled in from the training arguments. */
const zero2 = {
  bf16: { enabled: 'auto' },
  gradient_accumulation_steps: 'auto',
  gradient_clipping: 'auto',
  train_batch_size: 'auto',
  train_micro_batch_size_per_gpu: 'auto',
  zero_optimization: {
    stage: 2,
    overlap_comm: true,
    contiguous_gradients: true,
    reduce_bucket_size: 'auto',
  },
};
