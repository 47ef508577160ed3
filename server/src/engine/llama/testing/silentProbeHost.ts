// Never answers a probe of an NVIDIA GPU, dies of a Vulkan one, and has a working processor.
import { reply, runFakeHost } from './fakeHost.ts';

runFakeHost({
  probe: ({ request, gpu }) => {
    if (gpu === 'vulkan') process.abort();
    if (gpu === 'cpu') reply({ is: 'probed', request, devices: [] });
  },
});
