// Has an NVIDIA GPU whose driver aborts the process when a model is loaded on it, and a Vulkan GPU that is full.
import { loaded, noGpu, reply, runFakeHost } from './fakeHost.ts';

runFakeHost({
  probe: (message) => {
    const { request, gpu } = message;
    if (gpu === 'metal') noGpu(message);
    else reply({ is: 'probed', request, devices: gpu === 'cpu' ? [] : [`A ${gpu} device`] });
  },
  load: (message) => {
    const { request, load } = message;
    if (load.gpu === 'cuda') process.abort();
    if (load.gpu === 'vulkan') {
      const error = { code: 'out-of-memory', message: 'It is full.', remedy: null };
      reply({ is: 'failed', request, error });
      return;
    }
    loaded(message);
  },
});
