// The rules for declarations and whole files. In: tokens. Out: declaration nodes, with their doc comments.
// Holds: a declaration with a mistake is left out of its file or model, the others stand.

import type { IToken, TokenType } from 'chevrotain';
import type {
  BindingDeclaration,
  Block,
  Body,
  Comment,
  Declaration,
  FnDeclaration,
  Identifier,
  ImportSpecifier,
  ModelMember,
  OptimizerDeclaration,
  Parameter,
  ParamDeclaration,
  StateDeclaration,
  StepDeclaration,
  TypeExpression,
  UpdateRule,
  VjpRule,
} from './ast.js';
import { EOF } from './chevrotain.js';
import { docBefore } from './doc-comments.js';
import { prepare } from './lookahead.js';
import { describe } from './messages.js';
import { type KnownGrammar, ParseEnd, type PlacedProblem } from './parser-base.js';
import type { Source } from './span.js';
import { startsFile, startsMember, startsTop } from './starts.js';
import { StatementRules } from './statement-rules.js';
import * as t from './tokens.js';

/** What the parser makes of a file: the declarations that could be read, and what went wrong. */
export interface Parsed {
  readonly declarations: readonly Declaration[];
  readonly problems: readonly PlacedProblem[];
}

export class TdslParser extends StatementRules {
  #comments: readonly Comment[] = [];

  constructor(grammar: KnownGrammar = 'analysed') {
    super(grammar);
    if (typeof grammar === 'string') this.performSelfAnalysis();
    else prepare(this, grammar);
  }

  /** Reads a whole file. Nothing of an earlier file remains. */
  read(source: Source, tokens: readonly IToken[], comments: readonly Comment[]): Parsed {
    this.#comments = comments;
    this.begin(source, tokens);
    let declarations: readonly Declaration[] = [];
    try {
      declarations = this.#file();
    } catch (error) {
      if (!(error instanceof ParseEnd)) throw error;
    }
    const problems = this.found();
    this.begin({ path: '', text: '' }, []);
    this.#comments = [];
    return { declarations, problems };
  }

  /** The same, or undefined for a file with a mistake: a parser that goes by tables may fail over it in any way. */
  readSound(source: Source, tokens: readonly IToken[], comments: readonly Comment[]): readonly Declaration[] | undefined {
    try {
      const { declarations, problems } = this.read(source, tokens, comments);
      return problems.length === 0 ? declarations : undefined;
    } catch {
      return undefined;
    }
  }

  readonly #file = this.rule('file', (): readonly Declaration[] => {
    const found: Declaration[] = [];
    if (this.RECORDING_PHASE) this.MANY(() => this.SUBRULE(this.#declaration));
    while (!this.at(EOF)) {
      const first = this.LA(1);
      const declaration = this.guard(() => this.SUBRULE(this.#declaration), startsTop);
      if (this.LA(1) === first) this.skip();
      else if (declaration !== null) found.push(declaration);
      while (this.at(t.Semicolon)) this.skip();
    }
    return found;
  });

  readonly #declaration = this.rule('declaration', (): Declaration | null => {
    const first = this.LA(1);
    const doc = this.#doc(first);
    const exported = this.OPTION({ GATE: () => this.at(t.reserved.export), DEF: () => this.CONSUME(t.reserved.export) });
    if (exported !== undefined) this.#checkExported(exported);
    const found = this.OR<Declaration | null>({
      DEF: [
        { ALT: () => this.SUBRULE(this.#importDeclaration) },
        { ALT: () => this.SUBRULE(this.#constDeclaration) },
        { ALT: () => this.SUBRULE(this.#fn) },
        { GATE: () => this.#declares(t.word.step), ALT: () => this.SUBRULE(this.#step) },
        { GATE: () => this.#declares(t.word.model), ALT: () => this.SUBRULE(this.#model) },
        { GATE: () => this.#declares(t.word.optimizer), ALT: () => this.SUBRULE(this.#optimizer) },
        { GATE: () => this.#declares(t.word.dim), ALT: () => this.SUBRULE(this.#dim) },
        { GATE: () => this.#declares(t.word.param), ALT: () => this.SUBRULE(this.#param) },
        { GATE: () => this.#declares(t.word.state), ALT: () => this.SUBRULE(this.#state) },
        { GATE: () => this.at(t.Equals, 2), ALT: () => this.SUBRULE(this.#binding) },
      ],
      ERR_MSG: 'a declaration',
      IGNORE_AMBIGUITIES: true,
    });
    if (this.RECORDING_PHASE || found === null) return null;
    const span = this.spanFrom(first.startOffset);
    if (found.kind === 'fn') return { ...found, exported: exported !== undefined, doc, span };
    if (found.kind === 'step' && exported === undefined) {
      this.report(first, { message: 'a step is an entry point', hint: 'write `export step`', expected: ["'export'"] });
    }
    return { ...found, doc, span };
  });

  #checkExported(word: IToken): void {
    const next = this.LA(1);
    if (next.tokenType === t.reserved.fn || next.tokenType === t.word.step) return;
    const known = startsTop(next, this.follower(next));
    this.report(known ? word : next, {
      message: known ? 'only `fn` and `step` are exported' : `expected 'fn' or 'step', found ${describe(next)}`,
      hint: '`export` marks an entry point; everything at the top of a file can be imported without it',
      expected: ["'fn'", "'step'"],
    });
  }

  #doc(first: IToken): string | null {
    return this.RECORDING_PHASE ? null : docBefore(this.text, this.#comments, this.previousOf(first), first);
  }

  #declares(word: TokenType): boolean {
    return this.at(word) && this.at(t.Name, 2);
  }

  // ------------------------------------------------------------------------------------------------ short ones

  readonly #importDeclaration = this.rule('import', (): Declaration => {
    const word = this.CONSUME(t.reserved.import);
    const specifiers: ImportSpecifier[] = [];
    const open = this.CONSUME(t.BraceOpen);
    this.list(1, t.BraceClose, (i) => specifiers.push(this.subrule(i, this.#importSpecifier)));
    this.close(1, open, t.BraceClose, 'import');
    this.CONSUME(t.word.from);
    const from = this.string(this.CONSUME(t.StringLiteral));
    return { kind: 'import', specifiers, from, doc: null, span: this.spanFrom(word.startOffset) };
  });

  readonly #importSpecifier = this.rule('importSpecifier', (): ImportSpecifier => {
    const imported = this.identifier(this.CONSUME(t.Name));
    const local = this.OPTION(() => {
      this.CONSUME(t.word.as);
      return this.identifier(this.CONSUME1(t.Name));
    });
    return { kind: 'import-specifier', imported, local: local ?? imported, span: this.spanFrom(imported.span.start) };
  });

  readonly #constDeclaration = this.rule('const', (): Declaration => {
    const word = this.CONSUME(t.reserved.const);
    const name = this.identifier(this.CONSUME(t.Name));
    const type =
      this.OPTION(() => {
        this.CONSUME(t.Colon);
        return this.SUBRULE(this.type);
      }) ?? null;
    this.CONSUME(t.Equals);
    const value = this.SUBRULE(this.expression);
    return { kind: 'const', name, type, value, doc: null, span: this.spanFrom(word.startOffset) };
  });

  readonly #dim = this.rule('dim', (): Declaration => {
    const word = this.CONSUME(t.word.dim);
    const name = this.identifier(this.CONSUME(t.Name));
    this.CONSUME(t.Equals);
    const value = this.SUBRULE(this.size);
    return { kind: 'dim', name, value, doc: null, span: this.spanFrom(word.startOffset) };
  });

  readonly #param = this.rule('param', (): ParamDeclaration => {
    const word = this.CONSUME(t.word.param);
    const name = this.identifier(this.CONSUME(t.Name));
    let type: TypeExpression;
    if (!this.RECORDING_PHASE && (this.at(t.Equals) || this.brokenBefore(this.LA(1)))) type = this.#untyped(name);
    else {
      this.CONSUME(t.Colon);
      type = this.SUBRULE(this.type);
    }
    const initial = this.SUBRULE(this.#initial);
    return { kind: 'param', name, type, initial, doc: null, span: this.spanFrom(word.startOffset) };
  });

  #untyped({ text, span }: Identifier): TypeExpression {
    const hint = `write \`param ${text}: f32[…]${this.at(t.Equals) ? ' = …' : ''}\``;
    this.report(this.LA(1), { message: 'a param needs a type', hint, span, expected: ["':'"] });
    return { kind: 'missing-type', span: this.gap() };
  }

  readonly #state = this.rule('state', (): StateDeclaration => {
    const word = this.CONSUME(t.word.state);
    const name = this.identifier(this.CONSUME(t.Name));
    const type =
      this.OPTION(() => {
        this.CONSUME(t.Colon);
        return this.SUBRULE(this.type);
      }) ?? null;
    const initial = this.SUBRULE(this.#initial);
    return { kind: 'state', name, type, initial, doc: null, span: this.spanFrom(word.startOffset) };
  });

  /** `= e` or nothing. */
  readonly #initial = this.rule(
    'initial',
    () =>
      this.OPTION(() => {
        this.CONSUME(t.Equals);
        return this.SUBRULE(this.expression);
      }) ?? null,
  );

  protected readonly parameter = this.rule('parameter', (): Parameter => {
    const name = this.identifier(this.CONSUME(t.Name));
    this.CONSUME(t.Colon);
    const type = this.SUBRULE(this.type);
    const initial = this.SUBRULE(this.#initial);
    return { kind: 'parameter', name, type, initial, span: this.spanFrom(name.span.start) };
  });

  readonly #binding = this.rule('binding', (): BindingDeclaration => {
    const name = this.identifier(this.CONSUME(t.Name));
    this.CONSUME(t.Equals);
    const value = this.SUBRULE(this.expression);
    return { kind: 'binding', name, value, doc: null, span: this.spanFrom(name.span.start) };
  });

  // -------------------------------------------------------------------------------------------------- functions

  readonly #fn = this.rule('fn', (): FnDeclaration => {
    const word = this.CONSUME(t.reserved.fn);
    const signature = this.SUBRULE(this.#signature);
    const body = this.SUBRULE(this.#body);
    const vjp = this.OPTION({ GATE: () => this.at(t.ParenOpen, 2), DEF: () => this.SUBRULE(this.#vjp) }) ?? null;
    return { kind: 'fn', exported: false, ...signature, body, vjp, doc: null, span: this.spanFrom(word.startOffset) };
  });

  readonly #step = this.rule('step', (): StepDeclaration => {
    const word = this.CONSUME(t.word.step);
    const signature = this.SUBRULE(this.#signature);
    const body = this.SUBRULE(this.#body);
    return { kind: 'step', ...signature, body, doc: null, span: this.spanFrom(word.startOffset) };
  });

  readonly #signature = this.rule('signature', () => {
    const name = this.identifier(this.CONSUME(t.Name));
    const generics = this.SUBRULE(this.generics);
    const parameters = this.SUBRULE(this.parameters);
    const result =
      this.OPTION(() => {
        this.CONSUME(t.Colon);
        return this.SUBRULE(this.type);
      }) ?? null;
    const facts = this.SUBRULE(this.facts);
    return { name, generics, parameters, result, facts };
  });

  readonly #body = this.rule('body', (): Body =>
    this.OR<Body>({
      DEF: [
        {
          ALT: () => {
            this.CONSUME(t.Equals);
            return this.SUBRULE(this.expression);
          },
        },
        { ALT: () => this.SUBRULE(this.block) },
      ],
      ERR_MSG: "'=' or '{'",
    }),
  );

  readonly #vjp = this.rule('vjp', (): VjpRule => {
    const word = this.CONSUME(t.word.vjp);
    const parameters = this.SUBRULE(this.names);
    const body = this.SUBRULE(this.arrowBody);
    return { kind: 'vjp', parameters, body, span: this.spanFrom(word.startOffset) };
  });

  // ------------------------------------------------------------------------------------- models and optimizers

  readonly #model = this.rule('model', (): Declaration => {
    const word = this.CONSUME(t.word.model);
    const name = this.identifier(this.CONSUME(t.Name));
    const generics = this.SUBRULE(this.generics);
    const parameters = this.OPTION(() => this.SUBRULE(this.parameters)) ?? [];
    const facts = this.SUBRULE(this.facts);
    const members: ModelMember[] = [];
    const open = this.CONSUME(t.BraceOpen);
    if (this.RECORDING_PHASE) this.MANY(() => this.SUBRULE(this.#member));
    else this.#members(() => this.SUBRULE(this.#member), members);
    this.close(1, open, t.BraceClose, 'model');
    return { kind: 'model', name, generics, parameters, facts, members, doc: null, span: this.spanFrom(word.startOffset) };
  });

  #members<M>(member: () => M, into: M[]): void {
    while (!this.at(t.BraceClose) && !this.at(EOF)) {
      const first = this.LA(1);
      if (startsFile(first, this.follower(first)) && this.brokenBefore(first)) return;
      const found = this.guard(member, startsMember);
      if (this.LA(1) === first) this.skip();
      else if (found !== null) into.push(found);
      while (this.at(t.Semicolon)) this.skip();
    }
  }

  readonly #member = this.rule('member', (): ModelMember => {
    const doc = this.#doc(this.LA(1));
    const found = this.OR<ModelMember>({
      DEF: [
        { ALT: () => this.SUBRULE(this.#fn) },
        { GATE: () => this.#declares(t.word.param), ALT: () => this.SUBRULE(this.#param) },
        { GATE: () => this.#declares(t.word.state), ALT: () => this.SUBRULE(this.#state) },
        { GATE: () => this.#declares(t.word.step), ALT: () => this.SUBRULE(this.#step) },
        { GATE: () => this.at(t.Equals, 2), ALT: () => this.SUBRULE(this.#binding) },
      ],
      ERR_MSG: 'a param, a state, a function, a step or `name = …`',
      IGNORE_AMBIGUITIES: true,
    });
    return { ...found, doc };
  });

  readonly #optimizer = this.rule('optimizer', (): OptimizerDeclaration | null => {
    const word = this.CONSUME(t.word.optimizer);
    const name = this.identifier(this.CONSUME(t.Name));
    const parameters = this.OPTION(() => this.SUBRULE(this.parameters)) ?? [];
    const members: (StateDeclaration | UpdateRule)[] = [];
    const open = this.CONSUME(t.BraceOpen);
    if (this.RECORDING_PHASE) this.MANY(() => this.SUBRULE(this.#optimizerMember));
    else this.#members(() => this.SUBRULE(this.#optimizerMember), members);
    const clean = this.found().length === 0;
    this.close(1, open, t.BraceClose, 'optimizer');
    if (this.RECORDING_PHASE) return null;
    const states = members.filter((member) => member.kind === 'state');
    const [update, second] = members.filter((member) => member.kind === 'update');
    if (second !== undefined) {
      this.report({ ...word, startOffset: second.span.start }, { message: 'an optimizer has one `update`', span: second.span });
    }
    if (update === undefined) {
      if (clean)
        this.report(word, { message: 'an optimizer needs an update rule', hint: 'write `update(p, g) { p <- … }`', span: name.span });
      return null;
    }
    return { kind: 'optimizer', name, parameters, states, update, doc: null, span: this.spanFrom(word.startOffset) };
  });

  readonly #optimizerMember = this.rule('optimizerMember', (): StateDeclaration | UpdateRule => {
    const doc = this.#doc(this.LA(1));
    const found = this.OR<StateDeclaration | UpdateRule>({
      DEF: [{ ALT: () => this.SUBRULE(this.#state) }, { ALT: () => this.SUBRULE(this.#update) }],
      ERR_MSG: '`state` or `update(p, g)`',
    });
    return { ...found, doc };
  });

  readonly #update = this.rule('update', (): UpdateRule => {
    const word = this.CONSUME(t.word.update);
    const open = this.CONSUME(t.ParenOpen);
    const parameter = this.identifier(this.CONSUME(t.Name));
    this.CONSUME(t.Comma);
    const gradient = this.identifier(this.CONSUME1(t.Name));
    this.close(1, open, t.ParenClose, 'update rule');
    const body: Block = this.SUBRULE(this.block);
    return { kind: 'update', parameter, gradient, body, doc: null, span: this.spanFrom(word.startOffset) };
  });
}
