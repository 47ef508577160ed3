// A place in one line, counted in offsets and in columns: tabs reach to the next multiple of four, and a
// container may take only some of a tab's columns. This is how CommonMark measures indentation.

const tab = 9;
const space = 32;

/** Walks through one line of a note. Call `look()` after each move, then read `nonspace`, `indent`, `blank`. */
export class LineCursor {
  readonly #note: string;
  /** Offset of the next unit that has not been taken. */
  at = 0;
  /** Column of that unit, or a column within it when it is a tab that was taken in part. */
  column = 0;
  /** Offset of the line's end, without its line end. */
  end = 0;
  /** Offset of the first unit from `at` on that is neither space nor tab. */
  nonspace = 0;
  /** Columns of white space from `at` to `nonspace`. */
  indent = 0;
  /** Whether there is nothing but white space from `at` on. */
  blank = false;

  constructor(note: string) {
    this.#note = note;
  }

  /** Goes to the start of a line. */
  enter(start: number, end: number): void {
    this.at = start;
    this.column = 0;
    this.end = end;
  }

  look(): void {
    let place = this.at;
    let column = this.column;
    for (; place < this.end; place += 1) {
      const unit = this.#note.charCodeAt(place);
      if (unit === space) column += 1;
      else if (unit === tab) column += 4 - (column % 4);
      else break;
    }
    this.nonspace = place;
    this.indent = column - this.column;
    this.blank = place >= this.end;
  }

  /** Takes this many columns of white space (fewer where the white space ends before). */
  skipColumns(count: number): void {
    let left = count;
    while (left > 0 && this.at < this.end) {
      const unit = this.#note.charCodeAt(this.at);
      if (unit !== space && unit !== tab) return;
      const width = unit === tab ? 4 - (this.column % 4) : 1;
      if (width > left) {
        this.column += left;
        return;
      }
      this.column += width;
      left -= width;
      this.at += 1;
    }
  }

  /** Takes the white space up to `nonspace` and then `units` that are neither spaces nor tabs. */
  skipMarker(units: number): void {
    this.column += this.indent + units;
    this.at = this.nonspace + units;
  }
}
