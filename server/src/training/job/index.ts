export { jobLosses, prepareJob, type JobRequest, type PreparedJob } from './prepareJob.ts';
export { writeJob } from './writeJob.ts';
