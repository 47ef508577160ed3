// What the suite prints begins with this, so that it can be told from what the workbench logs.
export const suiteMark = '[suite] ';
