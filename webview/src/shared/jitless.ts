// Imported before every schema: zod would otherwise try whether it may compile its readers with `new Function`,
// which a view's content security policy forbids and reports, rightly.
import { z } from 'zod';

z.config({ jitless: true });
