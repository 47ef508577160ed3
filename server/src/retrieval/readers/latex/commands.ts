// What commands and environments of LaTeX mean to a reader. Data only.

/** Commands that stand for characters. */
export const symbols: ReadonlyMap<string, string> = new Map(
  Object.entries({
    '%': '%', '&': '&', _: '_', '#': '#', $: '$', '{': '{', '}': '}', ' ': ' ', '\n': ' ', '\t': ' ', ',': ' ',
    ';': ' ', ':': ' ', '!': '', '/': '', '-': '', '@': '', '>': ' ', quad: ' ', qquad: ' ', thinspace: ' ',
    enspace: ' ', space: ' ', newline: ' ', linebreak: ' ', ldots: '…', dots: '…', textellipsis: '…', LaTeX: 'LaTeX',
    TeX: 'TeX', LaTeXe: 'LaTeX2e', BibTeX: 'BibTeX', XeTeX: 'XeTeX', LuaTeX: 'LuaTeX', ss: 'ß', o: 'ø', O: 'Ø', l: 'ł',
    L: 'Ł', ae: 'æ', AE: 'Æ', oe: 'œ', OE: 'Œ', aa: 'å', AA: 'Å', i: 'ı', j: 'ȷ', dh: 'ð', DH: 'Ð', th: 'þ', TH: 'Þ',
    S: '§', P: '¶', copyright: '©', pounds: '£', euro: '€', texteuro: '€', textdegree: '°', degree: '°',
    textmu: 'µ', textasciitilde: '~', textasciicircum: '^', textbackslash: '\\', textendash: '–', textemdash: '—',
    textquoteleft: '‘', textquoteright: '’', textquotedblleft: '“', textquotedblright: '”', textquotesingle: "'",
    textunderscore: '_', textless: '<', textgreater: '>', textbar: '|', textregistered: '®', texttrademark: '™',
    textbullet: '•', textperiodcentered: '·', texttimes: '×', textpm: '±', textdiv: '÷', textonehalf: '½', dag: '†',
    ddag: '‡', slash: '/', guillemotleft: '«', guillemotright: '»', textrightarrow: '→', checkmark: '✓',
    textalpha: 'α', textbeta: 'β', textgamma: 'γ', textohm: 'Ω', textnumero: '№', and: ',',
  }),
);

/** Accents, as the combining character that follows the letter. */
export const accents: ReadonlyMap<string, string> = new Map(
  Object.entries({
    "'": '\u0301', '`': '\u0300', '^': '\u0302', '"': '\u0308', '~': '\u0303', '=': '\u0304', '.': '\u0307',
    u: '\u0306', v: '\u030C', H: '\u030B', c: '\u0327', k: '\u0328', r: '\u030A', d: '\u0323', b: '\u0331', t: '\u0361',
  }),
);

/**
 * Commands with arguments that are not all text: `o` an optional one that is left out, `x` one in braces that is left
 * out; what follows is read as text.
 */
export const argumentsOf: ReadonlyMap<string, string> = new Map(
  Object.entries({
    label: 'x', vspace: 'x', 'vspace*': 'x', hspace: 'x', 'hspace*': 'x', includegraphics: 'oox',
    'includegraphics*': 'oox', includesvg: 'ox', bibliography: 'x', bibliographystyle: 'x', addbibresource: 'ox',
    printbibliography: 'o', usepackage: 'ox', RequirePackage: 'ox', documentclass: 'ox', setlength: 'xx',
    addtolength: 'xx', setcounter: 'xx', addtocounter: 'xx', stepcounter: 'x', pagestyle: 'x', thispagestyle: 'x',
    pagenumbering: 'x', nocite: 'x', index: 'x', hypersetup: 'x', graphicspath: 'x', geometry: 'x', color: 'ox',
    textcolor: 'ox', colorbox: 'ox', fontsize: 'xx', selectlanguage: 'x', foreignlanguage: 'x', href: 'ox',
    hyperref: 'o', hyperlink: 'x', hypertarget: 'x', rule: 'oxx', raisebox: 'xoo', resizebox: 'xx', 'resizebox*': 'xx',
    scalebox: 'xo', rotatebox: 'ox', parbox: 'ooox', makebox: 'oo', framebox: 'oo', fbox: '', multicolumn: 'xx',
    multirow: 'oxox', cline: 'x', phantom: 'x', hphantom: 'x', vphantom: 'x', todo: 'ox', author: 'ox', date: 'x',
    affil: 'ox', affiliation: 'ox', address: 'ox', institute: 'x', email: 'x', ead: 'ox', thanks: 'x', orcid: 'ox',
    corref: 'x', cortext: 'ox', fnref: 'x', tnoteref: 'x', corresp: 'x', pacs: 'x', thefootnote: '', captionsetup: 'ox',
    lstset: 'x', sisetup: 'x', tikzset: 'x', usetikzlibrary: 'x', pgfplotsset: 'x', definecolor: 'xxx', bibinfo: 'x',
    bibfield: 'x', bibnamefont: '', citenamefont: '', glsreset: 'x', newacronym: 'oxxx', newglossaryentry: 'xx',
    crefname: 'xxx', Crefname: 'xxx', theoremstyle: 'x', allowdisplaybreaks: 'o', numberwithin: 'xx', linespread: 'x',
    input: 'x', include: 'x', hyphenation: 'x', vskip: '', PassOptionsToPackage: 'xx', ProvidesPackage: 'xo',
    addcontentsline: 'xxx', markboth: 'xx', markright: 'x', subfile: 'x', includeonly: 'x', cmidrule: 'x',
    morecmidrules: '', enlargethispage: 'x', vadjust: 'x', DOI: 'x', subfloat: 'o',
  }),
);

/** Commands that define others, or look like citations and are none. */
export const definitions = new Set(
  `newcommand renewcommand providecommand DeclareRobustCommand DeclareMathOperator newcommand* renewcommand*
   providecommand* DeclareRobustCommand* DeclareMathOperator* def gdef edef xdef let newenvironment renewenvironment
   newenvironment* renewenvironment* newtheorem newtheorem* NewDocumentCommand RenewDocumentCommand
   ProvideDocumentCommand DeclareDocumentCommand NewDocumentEnvironment newif newlength newcounter newsavebox
   DeclarePairedDelimiter DeclareSIUnit`.split(/\s+/),
);
export const notCitations = new Set(['citestyle', 'citename', 'citenamefont', 'setcitestyle', 'nocite', 'bibcite']);

/** References to something with a number: they are read as what they refer to, in brackets. */
export const references = new Set(
  'ref eqref autoref cref Cref pageref nameref vref Vref fref figref tabref secref subref labelcref'.split(' '),
);

/** Sectioning commands: 1 is the outermost heading. */
export const sections: ReadonlyMap<string, number> = new Map(
  Object.entries({
    part: 1, chapter: 2, section: 3, subsection: 4, subsubsection: 5, paragraph: 6, subparagraph: 7, frametitle: 5,
  }),
);

export const mathEnvironments = new Set(
  `equation align gather multline eqnarray displaymath math alignat flalign dmath dgroup subequations split array
   aligned gathered empheq`.split(/\s+/),
);
export const tableEnvironments: ReadonlyMap<string, string> = new Map(
  Object.entries({
    tabular: 'ox', 'tabular*': 'xox', tabularx: 'xx', tabulary: 'xx', longtable: 'ox', longtabu: 'x', tabu: 'x',
    supertabular: 'x', tblr: 'ox', xltabular: 'xx',
  }),
);
export const verbatimEnvironments: ReadonlyMap<string, string> = new Map(
  Object.entries({
    verbatim: '', 'verbatim*': '', lstlisting: 'o', minted: 'ox', Verbatim: 'o', 'Verbatim*': 'o', alltt: '',
    algorithmic: 'o', algorithmicx: 'o',
  }),
);
export const leftOutEnvironments = new Set(
  `comment tikzpicture pgfpicture axis filecontents filecontents* picture overpic CCSXML circuitikz forest
   feynmandiagram tikzcd pspicture asy`.split(/\s+/),
);
export const listEnvironments = new Set(
  `itemize enumerate description compactitem compactenum inparaenum itemize* enumerate* thebibliography`.split(/\s+/),
);
export const quoteEnvironments = new Set('quote quotation verse displayquote'.split(' '));
/** Arguments of other environments, in the notation of `argumentsOf`. */
export const environmentArguments: ReadonlyMap<string, string> = new Map(
  Object.entries({
    figure: 'o', 'figure*': 'o', table: 'o', 'table*': 'o', minipage: 'ooox', wrapfigure: 'oxox', wraptable: 'oxox',
    subfigure: 'oox', subtable: 'oox', itemize: 'o', enumerate: 'o', description: 'o', thebibliography: 'x',
    multicols: 'xo', adjustbox: 'x', spacing: 'x', tcolorbox: 'o', algorithm: 'o', threeparttable: 'o', tablenotes: 'o',
    frame: 'o', columns: 'o', column: 'ox', otherlanguage: 'x', sidewaystable: 'o', sidewaysfigure: 'o', landscape: '',
    adjustwidth: 'xx', document: '', 'IEEEbiography': 'ox',
  }),
);

/** Units of siunitx. */
export const units: ReadonlyMap<string, string> = new Map(
  Object.entries({
    metre: 'm', meter: 'm', m: 'm', gram: 'g',
    kilogram: 'kg', kg: 'kg', g: 'g', second: 's', s: 's', minute: 'min', hour: 'h', day: 'd', kelvin: 'K', K: 'K',
    celsius: '°C', degreeCelsius: '°C', degree: '°', ampere: 'A', A: 'A', volt: 'V', V: 'V', watt: 'W', W: 'W',
    ohm: 'Ω', farad: 'F', F: 'F', henry: 'H', tesla: 'T', T: 'T', pascal: 'Pa', Pa: 'Pa', MPa: 'MPa', GPa: 'GPa',
    newton: 'N', N: 'N', joule: 'J', J: 'J', electronvolt: 'eV', eV: 'eV', keV: 'keV', MeV: 'MeV', GeV: 'GeV',
    hertz: 'Hz', Hz: 'Hz', kHz: 'kHz', MHz: 'MHz', GHz: 'GHz', mole: 'mol', mol: 'mol', candela: 'cd', litre: 'L',
    liter: 'L', l: 'l', L: 'L', bar: 'bar', percent: '%', angstrom: 'Å', radian: 'rad', bit: 'bit', byte: 'B',
    nm: 'nm', um: 'µm', mm: 'mm', cm: 'cm', km: 'km', mg: 'mg', ms: 'ms', us: 'µs', ns: 'ns', ps: 'ps', fs: 'fs',
    mV: 'mV', mA: 'mA',
  }),
);
export const unitPrefixes: ReadonlyMap<string, string> = new Map(
  Object.entries({
    yocto: 'y', zepto: 'z', atto: 'a', femto: 'f', pico: 'p', nano: 'n', micro: 'µ', milli: 'm', centi: 'c', deci: 'd',
    deca: 'da', hecto: 'h', kilo: 'k', mega: 'M', giga: 'G', tera: 'T', peta: 'P', exa: 'E',
  }),
);
export const unitPowers: ReadonlyMap<string, string> = new Map([
  ['squared', '²'],
  ['square', '²'],
  ['cubed', '³'],
  ['cubic', '³'],
]);
