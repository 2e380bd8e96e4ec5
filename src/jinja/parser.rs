//! From tokens to the tree: Jinja2's grammar.

use std::rc::Rc;

use super::ast::{Arguments, Binary, Compare, Expr, Filter, For, Kind, Macro, Stmt, Target};
use super::lexer::{Token, syntax};
use super::text::Str;
use super::value::Value;
use super::{Fault, Result};

/// Brackets and blocks in each other: the parser calls itself for each.
const MAX_NESTING: u32 = 60;

/// Filters, calls and attributes after one another, which nest in the tree.
const MAX_CHAIN: u32 = 100;

/// # Errors
/// A syntax error with its line.
pub fn parse(tokens: Vec<(Token, u32)>) -> Result<Vec<Stmt>> {
    let mut parser = Parser { tokens, at: 0, nesting: 0, uses: Vec::new(), blocks: Vec::new() };
    let body = parser.body(&[]);
    body.map_err(|fault| fault.at(parser.line()))
}

struct Parser {
    tokens: Vec<(Token, u32)>,
    at: usize,
    nesting: u32,
    /// For each macro around: whether `varargs`, `kwargs` and `caller` were seen in it.
    uses: Vec<[bool; 3]>,
    /// Names of blocks.
    blocks: Vec<String>,
}

fn expr(kind: Kind, line: u32) -> Expr {
    Expr { kind: Box::new(kind), line }
}

impl Parser {
    fn line(&self) -> u32 {
        let last = self.tokens.len().saturating_sub(1);
        self.tokens.get(self.at.min(last)).map_or(1, |(_, line)| *line)
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(token, _)| token)
    }

    fn describe(&self) -> String {
        match self.peek() {
            None => "the end of the template".into(),
            Some(Token::Text(_)) => "text".into(),
            Some(Token::PrintBegin) => "'{{'".into(),
            Some(Token::PrintEnd) => "'}}'".into(),
            Some(Token::BlockBegin) => "'{%'".into(),
            Some(Token::BlockEnd) => "'%}'".into(),
            Some(Token::Name(name)) => format!("'{name}'"),
            Some(Token::Const(Value::Str(_))) => "a string".into(),
            Some(Token::Const(_)) => "a number".into(),
            Some(Token::Operator(operator)) => format!("'{operator}'"),
        }
    }

    fn wrong<T>(&self, line: u32, message: &str) -> Result<T> {
        syntax(message).map_err(|fault: Fault| fault.at(line))
    }

    fn expected<T>(&self, what: &str) -> Result<T> {
        self.wrong(self.line(), &format!("{what} is expected, there is {}", self.describe()))
    }

    fn is_operator(&self, operator: &str) -> bool {
        matches!(self.peek(), Some(Token::Operator(found)) if *found == operator)
    }

    fn eat(&mut self, operator: &str) -> bool {
        let found = self.is_operator(operator);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, operator: &str) -> Result<()> {
        if self.eat(operator) { Ok(()) } else { self.expected(&format!("'{operator}'")) }
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Some(Token::Name(name)) if name == word)
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.at += usize::from(found);
        found
    }

    fn expect_word(&mut self, word: &str) -> Result<()> {
        if self.eat_word(word) { Ok(()) } else { self.expected(&format!("'{word}'")) }
    }

    fn name(&mut self) -> Result<String> {
        let Some(Token::Name(name)) = self.peek() else { return self.expected("a name") };
        let name = name.clone();
        self.at += 1;
        Ok(name)
    }

    fn is_block_end(&self) -> bool {
        matches!(self.peek(), Some(Token::BlockEnd))
    }

    fn block_end(&mut self) -> Result<()> {
        if !self.is_block_end() {
            return self.expected("'%}'");
        }
        self.at += 1;
        Ok(())
    }

    /// One level deeper in the source.
    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.nesting >= MAX_NESTING {
            return self.wrong(self.line(), &format!("more than {MAX_NESTING} levels of brackets and blocks"));
        }
        self.nesting += 1;
        let result = parse(self);
        self.nesting -= 1;
        result
    }

    /// Statements to one of the tags in `ends`, whose name is read; to the end of the template if there are none.
    fn body(&mut self, ends: &[&str]) -> Result<Vec<Stmt>> {
        let mut out = Vec::new();
        loop {
            match self.peek() {
                None if ends.is_empty() => return Ok(out),
                None => return self.expected(&format!("'{{% {} %}}'", ends.join(" %}' or '{% "))),
                Some(Token::Text(text)) => {
                    out.push(Stmt::Text(text.clone()));
                    self.at += 1;
                }
                Some(Token::PrintBegin) => {
                    self.at += 1;
                    out.push(Stmt::Print(self.tuple()?));
                    if !matches!(self.peek(), Some(Token::PrintEnd)) {
                        return self.expected("'}}'");
                    }
                    self.at += 1;
                }
                Some(Token::BlockBegin) => {
                    self.at += 1;
                    if ends.iter().any(|end| self.is_word(end)) {
                        return Ok(out);
                    }
                    self.nested(|parser| parser.statement(&mut out))?;
                }
                Some(_) => return self.expected("text or a tag"),
            }
        }
    }

    /// The inside of a block, after its tag, with the tag that ends it.
    fn block(&mut self, end: &str) -> Result<Vec<Stmt>> {
        self.block_end()?;
        let body = self.body(&[end])?;
        self.expect_word(end)?;
        Ok(body)
    }

    fn statement(&mut self, out: &mut Vec<Stmt>) -> Result<()> {
        let line = self.line();
        let tag = self.name()?;
        let statement = match tag.as_str() {
            "for" => self.for_loop(line)?,
            "if" => self.if_else()?,
            "set" => self.set(line)?,
            "with" => self.with()?,
            "macro" => self.macro_definition()?,
            "call" => self.call_block()?,
            "filter" => {
                let filters = self.filters()?;
                Stmt::FilterBlock { filters, body: self.block("endfilter")?, line }
            }
            "print" => {
                while !self.is_block_end() {
                    out.push(Stmt::Print(self.expression()?));
                    if !self.is_block_end() {
                        self.expect(",")?;
                    }
                }
                return self.block_end();
            }
            "generation" => Stmt::Scope { body: self.block("endgeneration")?, detached: false },
            "block" => {
                let name = self.name()?;
                if self.blocks.contains(&name) {
                    return self.wrong(line, &format!("the block '{name}' is defined twice"));
                }
                self.blocks.push(name.clone());
                let scoped = self.eat_word("scoped");
                self.eat_word("required");
                let body = self.block("endblock")?;
                self.eat_word(&name);
                Stmt::Scope { body, detached: !scoped }
            }
            "autoescape" => {
                let on = self.expression()?;
                Stmt::Autoescape { on, body: self.block("endautoescape")? }
            }
            "break" => Stmt::Break,
            "continue" => Stmt::Continue,
            "include" | "import" | "from" | "extends" => {
                while !self.is_block_end() {
                    if self.peek().is_none() {
                        return self.expected("'%}'");
                    }
                    self.at += 1;
                }
                Stmt::Loads { tag, line }
            }
            _ => return self.wrong(line, &format!("the tag '{tag}' is not known here")),
        };
        out.push(statement);
        self.block_end()
    }

    fn for_loop(&mut self, line: u32) -> Result<Stmt> {
        let target = self.target(false)?;
        self.expect_word("in")?;
        let items = self.tuple_without_if()?;
        let condition = if self.eat_word("if") { Some(self.expression()?) } else { None };
        let is_recursive = self.eat_word("recursive");
        self.block_end()?;
        let body = self.body(&["endfor", "else"])?;
        let otherwise = if self.eat_word("else") {
            self.block("endfor")?
        } else {
            self.expect_word("endfor").map(|()| Vec::new())?
        };
        Ok(Stmt::For(Rc::new(For { target, items, condition, body, otherwise, is_recursive, line })))
    }

    fn if_else(&mut self) -> Result<Stmt> {
        let mut branches = Vec::new();
        loop {
            let condition = self.tuple_without_if()?;
            self.block_end()?;
            branches.push((condition, self.body(&["elif", "else", "endif"])?));
            if !self.eat_word("elif") {
                break;
            }
        }
        let otherwise = if self.eat_word("else") {
            self.block("endif")?
        } else {
            self.expect_word("endif").map(|()| Vec::new())?
        };
        Ok(Stmt::If { branches, otherwise })
    }

    fn set(&mut self, line: u32) -> Result<Stmt> {
        let target = self.target(true)?;
        if self.eat("=") {
            return Ok(Stmt::Set { target, value: self.tuple()? });
        }
        let filters = if self.eat("|") { self.filters()? } else { Vec::new() };
        Ok(Stmt::SetBlock { target, filters, body: self.block("endset")?, line })
    }

    fn with(&mut self) -> Result<Stmt> {
        let mut bindings = Vec::new();
        while !self.is_block_end() {
            if !bindings.is_empty() {
                self.expect(",")?;
            }
            let target = self.target(false)?;
            self.expect("=")?;
            bindings.push((target, self.expression()?));
        }
        Ok(Stmt::With { bindings, body: self.block("endwith")? })
    }

    fn parameters(&mut self) -> Result<Vec<(String, Option<Expr>)>> {
        let mut parameters: Vec<(String, Option<Expr>)> = Vec::new();
        if !self.eat("(") {
            return Ok(parameters);
        }
        while !self.eat(")") {
            if !parameters.is_empty() {
                self.expect(",")?;
            }
            let parameter = self.name()?;
            let default = if self.eat("=") { Some(self.expression()?) } else { None };
            if default.is_none() && parameters.iter().any(|(_, default)| default.is_some()) {
                return self.expected("a default after parameters with defaults");
            }
            parameters.push((parameter, default));
        }
        Ok(parameters)
    }

    /// A macro whose inside was just parsed: it takes what that uses, unless a parameter has the name.
    fn finish(&mut self, name: String, parameters: Vec<(String, Option<Expr>)>, body: Vec<Stmt>) -> Rc<Macro> {
        let uses = self.uses.pop().unwrap_or_default();
        let takes = |i: usize, name: &str| uses[i] && parameters.iter().all(|(parameter, _)| parameter != name);
        let (takes_varargs, takes_kwargs, takes_caller) = (takes(0, "varargs"), takes(1, "kwargs"), takes(2, "caller"));
        Rc::new(Macro { name, parameters, body, takes_varargs, takes_kwargs, takes_caller })
    }

    fn macro_definition(&mut self) -> Result<Stmt> {
        let name = self.name()?;
        self.uses.push([false; 3]);
        let parameters = self.parameters()?;
        let body = self.block("endmacro")?;
        Ok(Stmt::Macro(self.finish(name, parameters, body)))
    }

    fn call_block(&mut self) -> Result<Stmt> {
        let parameters = self.parameters()?;
        // What is called is written outside of the block.
        let call = self.expression()?;
        if !matches!(*call.kind, Kind::Call { .. }) {
            return self.expected("a call in '{% call %}'");
        }
        self.uses.push([false; 3]);
        let body = self.block("endcall")?;
        Ok(Stmt::Call { caller: self.finish(String::new(), parameters, body), call })
    }

    /// What is assigned to: names, in tuples too, and attributes of namespaces.
    fn target(&mut self, allows_attributes: bool) -> Result<Target> {
        let line = self.line();
        let mut targets = vec![self.one_target(allows_attributes)?];
        let mut is_tuple = false;
        while self.eat(",") {
            is_tuple = true;
            if self.is_operator("=") || self.is_word("in") || self.is_block_end() {
                break;
            }
            targets.push(self.one_target(allows_attributes)?);
        }
        match targets.pop() {
            Some(target) if !is_tuple => Ok(target),
            last => {
                targets.extend(last);
                Ok(Target::Tuple(targets, line))
            }
        }
    }

    fn one_target(&mut self, allows_attributes: bool) -> Result<Target> {
        let line = self.line();
        if self.eat("(") {
            let mut targets = Vec::new();
            while !self.is_operator(")") {
                targets.push(self.nested(|parser| parser.one_target(allows_attributes))?);
                if !self.is_operator(")") {
                    self.expect(",")?;
                }
            }
            self.at += 1;
            return Ok(Target::Tuple(targets, line));
        }
        let name = self.name()?;
        if ["true", "false", "none", "True", "False", "None"].contains(&name.as_str()) {
            return self.expected(&format!("a name that can be assigned to, not '{name}',"));
        }
        if allows_attributes && self.eat(".") {
            return Ok(Target::Attribute { name, attribute: self.name()?, line });
        }
        Ok(Target::Name(name))
    }

    /// An expression, or several with commas between them.
    fn tuple(&mut self) -> Result<Expr> {
        self.tuple_of(Self::expression)
    }

    /// The same where a bare `if` belongs to the tag.
    fn tuple_without_if(&mut self) -> Result<Expr> {
        self.tuple_of(Self::or)
    }

    fn tuple_of(&mut self, item: fn(&mut Self) -> Result<Expr>) -> Result<Expr> {
        let line = self.line();
        let first = item(self)?;
        if !self.is_operator(",") {
            return Ok(first);
        }
        let mut items = vec![first];
        while self.eat(",") {
            let ends = matches!(self.peek(), Some(Token::PrintEnd | Token::BlockEnd) | None);
            if ends || self.is_operator(")") || self.is_word("recursive") {
                break;
            }
            items.push(item(self)?);
        }
        Ok(expr(Kind::Tuple(items), line))
    }

    fn expression(&mut self) -> Result<Expr> {
        self.nested(|parser| {
            let mut line = parser.line();
            let mut value = parser.or()?;
            let mut n = 0;
            while parser.eat_word("if") {
                parser.chained(&mut n)?;
                let condition = parser.or()?;
                let otherwise = if parser.eat_word("else") { Some(parser.expression()?) } else { None };
                value = expr(Kind::If { condition, then: value, otherwise }, line);
                line = parser.line();
            }
            Ok(value)
        })
    }

    /// Counts one more of a chain.
    fn chained(&self, n: &mut u32) -> Result<()> {
        *n += 1;
        match *n > MAX_CHAIN {
            true => self.wrong(self.line(), &format!("a chain of more than {MAX_CHAIN} operations")),
            false => Ok(()),
        }
    }

    /// Operands with one operator between them.
    fn joined(
        &mut self,
        eats: impl Fn(&mut Self) -> bool,
        operand: fn(&mut Self) -> Result<Expr>,
        kind: fn(Vec<Expr>) -> Kind,
    ) -> Result<Expr> {
        let line = self.line();
        let first = operand(self)?;
        if !eats(self) {
            return Ok(first);
        }
        let mut items = vec![first, operand(self)?];
        while eats(self) {
            items.push(operand(self)?);
        }
        Ok(expr(kind(items), line))
    }

    fn or(&mut self) -> Result<Expr> {
        self.joined(|parser| parser.eat_word("or"), Self::and, Kind::Or)
    }

    fn and(&mut self) -> Result<Expr> {
        self.joined(|parser| parser.eat_word("and"), Self::not, Kind::And)
    }

    fn not(&mut self) -> Result<Expr> {
        let line = self.line();
        match self.eat_word("not") {
            true => Ok(expr(Kind::Not(self.nested(Self::not)?), line)),
            false => self.compare(),
        }
    }

    fn compare(&mut self) -> Result<Expr> {
        let line = self.line();
        let first = self.sum()?;
        let mut rest = Vec::new();
        loop {
            let operator = match self.peek() {
                Some(Token::Operator("==")) => Compare::Equal,
                Some(Token::Operator("!=")) => Compare::NotEqual,
                Some(Token::Operator("<")) => Compare::Less,
                Some(Token::Operator("<=")) => Compare::LessOrEqual,
                Some(Token::Operator(">")) => Compare::Greater,
                Some(Token::Operator(">=")) => Compare::GreaterOrEqual,
                Some(Token::Name(name)) if name == "in" => Compare::In,
                Some(Token::Name(name)) if name == "not" => {
                    let next = self.tokens.get(self.at + 1).map(|(token, _)| token);
                    if !matches!(next, Some(Token::Name(name)) if name == "in") {
                        break;
                    }
                    self.at += 1;
                    Compare::NotIn
                }
                _ => break,
            };
            self.at += 1;
            rest.push((operator, self.sum()?));
        }
        if rest.is_empty() {
            return Ok(first);
        }
        Ok(expr(Kind::Compare { first, rest }, line))
    }

    /// Operators of one rank.
    fn binary(&mut self, operators: &[(&str, Binary)], operand: fn(&mut Self) -> Result<Expr>) -> Result<Expr> {
        let line = self.line();
        let first = operand(self)?;
        let mut rest = Vec::new();
        while let Some((_, operator)) = operators.iter().find(|(operator, _)| self.is_operator(operator)) {
            self.at += 1;
            rest.push((*operator, operand(self)?));
        }
        if rest.is_empty() {
            return Ok(first);
        }
        Ok(expr(Kind::Binary { first, rest }, line))
    }

    fn sum(&mut self) -> Result<Expr> {
        self.binary(&[("+", Binary::Add), ("-", Binary::Subtract)], Self::concat)
    }

    fn concat(&mut self) -> Result<Expr> {
        self.joined(|parser| parser.eat("~"), Self::product, Kind::Concat)
    }

    fn product(&mut self) -> Result<Expr> {
        let operators =
            [("*", Binary::Multiply), ("/", Binary::Divide), ("//", Binary::FloorDivide), ("%", Binary::Modulo)];
        self.binary(&operators, |parser| parser.binary(&[("**", Binary::Power)], |parser| parser.unary(true)))
    }

    fn unary(&mut self, with_filter: bool) -> Result<Expr> {
        let line = self.line();
        let mut n = 0;
        let value = if self.eat("-") {
            expr(Kind::Negative(self.nested(|parser| parser.unary(false))?), line)
        } else if self.eat("+") {
            expr(Kind::Positive(self.nested(|parser| parser.unary(false))?), line)
        } else {
            self.primary()?
        };
        let value = self.postfix(value, &mut n)?;
        if with_filter { self.filtered(value, &mut n) } else { Ok(value) }
    }

    fn primary(&mut self) -> Result<Expr> {
        let line = self.line();
        let Some(token) = self.peek().cloned() else { return self.expected("an expression") };
        let kind = match token {
            Token::Name(name) => {
                self.at += 1;
                match name.as_str() {
                    "true" | "True" => Kind::Const(Value::Bool(true)),
                    "false" | "False" => Kind::Const(Value::Bool(false)),
                    "none" | "None" => Kind::Const(Value::None),
                    _ => {
                        if let Some(i) = ["varargs", "kwargs", "caller"].iter().position(|special| *special == name) {
                            self.uses.iter_mut().for_each(|uses| uses[i] = true);
                        }
                        Kind::Name(name)
                    }
                }
            }
            Token::Const(Value::Str(text)) => {
                self.at += 1;
                // Strings beside each other are one.
                let mut text = text;
                while let Some(Token::Const(Value::Str(more))) = self.peek() {
                    text = Str::from(format!("{}{}", text.as_str(), more.as_str()).as_str());
                    self.at += 1;
                }
                Kind::Const(Value::Str(text))
            }
            Token::Const(number) => {
                self.at += 1;
                Kind::Const(number)
            }
            Token::Operator("(") => {
                self.at += 1;
                if self.eat(")") {
                    Kind::Tuple(Vec::new())
                } else {
                    let inner = self.tuple()?;
                    self.expect(")")?;
                    return Ok(inner);
                }
            }
            Token::Operator("[") => {
                self.at += 1;
                Kind::List(self.until("]", Self::expression)?)
            }
            Token::Operator("{") => {
                self.at += 1;
                Kind::Dict(self.until("}", |parser| {
                    let key = parser.expression()?;
                    parser.expect(":")?;
                    Ok((key, parser.expression()?))
                })?)
            }
            _ => return self.expected("an expression"),
        };
        Ok(expr(kind, line))
    }

    /// Items to the closing bracket, a comma between them and perhaps after the last.
    fn until<T>(&mut self, close: &str, item: impl Fn(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let mut items = Vec::new();
        while !self.eat(close) {
            items.push(item(self)?);
            if !self.is_operator(close) {
                self.expect(",")?;
            }
        }
        Ok(items)
    }

    /// Attributes, items and calls.
    fn postfix(&mut self, mut value: Expr, n: &mut u32) -> Result<Expr> {
        loop {
            let line = self.line();
            let kind = if self.eat(".") {
                match self.peek().cloned() {
                    Some(Token::Name(name)) => {
                        self.at += 1;
                        Kind::Attribute { object: value, name }
                    }
                    Some(Token::Const(key @ Value::Int(_))) => {
                        self.at += 1;
                        Kind::Item { object: value, key: expr(Kind::Const(key), line) }
                    }
                    _ => return self.expected("a name or a number"),
                }
            } else if self.eat("[") {
                self.subscript(value)?
            } else if self.is_operator("(") {
                Kind::Call { function: value, arguments: self.arguments()? }
            } else {
                return Ok(value);
            };
            self.chained(n)?;
            value = expr(kind, line);
        }
    }

    fn subscript(&mut self, object: Expr) -> Result<Kind> {
        let line = self.line();
        let first = if self.is_operator(":") { None } else { Some(self.expression()?) };
        if self.is_operator(":") {
            let mut bounds = [first, None, None];
            for bound in &mut bounds[1..] {
                if !self.eat(":") {
                    break;
                }
                if !self.is_operator(":") && !self.is_operator("]") {
                    *bound = Some(self.expression()?);
                }
            }
            self.expect("]")?;
            return Ok(Kind::Slice { object, bounds });
        }
        let Some(first) = first else { return self.expected("a key") };
        if self.eat("]") {
            return Ok(Kind::Item { object, key: first });
        }
        let mut keys = vec![first];
        self.expect(",")?;
        keys.extend(self.until("]", Self::expression)?);
        Ok(Kind::Item { object, key: expr(Kind::Tuple(keys), line) })
    }

    fn arguments(&mut self) -> Result<Arguments> {
        self.expect("(")?;
        let mut all = Arguments::default();
        let is_late = |all: &Arguments| all.list.is_some() || all.dict.is_some();
        while !self.eat(")") {
            let names = matches!(self.tokens.get(self.at + 1), Some((Token::Operator("="), _)));
            if self.is_operator("*") && !is_late(&all) {
                self.at += 1;
                all.list = Some(self.expression()?);
            } else if self.is_operator("**") && all.dict.is_none() {
                self.at += 1;
                all.dict = Some(self.expression()?);
            } else if names && matches!(self.peek(), Some(Token::Name(_))) && all.dict.is_none() {
                let name = self.name()?;
                self.at += 1;
                all.named.push((name, self.expression()?));
            } else if !is_late(&all) && all.named.is_empty() {
                all.positional.push(self.expression()?);
            } else {
                return self.expected("an argument with a name");
            }
            if !self.is_operator(")") {
                self.expect(",")?;
            }
        }
        Ok(all)
    }

    /// A filter or test with its arguments.
    fn filter(&mut self) -> Result<Filter> {
        let mut name = self.name()?;
        while self.eat(".") {
            name = format!("{name}.{}", self.name()?);
        }
        let arguments = if self.is_operator("(") { self.arguments()? } else { Arguments::default() };
        Ok(Filter { name, arguments })
    }

    /// Filters with `|` between them.
    fn filters(&mut self) -> Result<Vec<Filter>> {
        let mut filters = vec![self.filter()?];
        while self.eat("|") {
            filters.push(self.filter()?);
        }
        Ok(filters)
    }

    fn filtered(&mut self, mut value: Expr, n: &mut u32) -> Result<Expr> {
        loop {
            let line = self.line();
            let kind = if self.eat("|") {
                Kind::Filter { value, filter: self.filter()? }
            } else if self.eat_word("is") {
                let is_not = self.eat_word("not");
                let test = Kind::Test { value, test: self.test()? };
                if is_not { Kind::Not(expr(test, line)) } else { test }
            } else if self.is_operator("(") {
                Kind::Call { function: value, arguments: self.arguments()? }
            } else {
                return Ok(value);
            };
            self.chained(n)?;
            value = expr(kind, line);
        }
    }

    /// A test; its argument may stand without brackets.
    fn test(&mut self) -> Result<Filter> {
        let mut test = self.filter()?;
        let begins = match self.peek() {
            Some(Token::Name(name)) => !["else", "or", "and"].contains(&name.as_str()),
            Some(Token::Const(_) | Token::Operator("[" | "{")) => true,
            _ => false,
        };
        let had_brackets = matches!(self.tokens.get(self.at.wrapping_sub(1)), Some((Token::Operator(")"), _)));
        if begins && !had_brackets {
            if self.is_word("is") {
                return self.expected("no second 'is'");
            }
            let argument = self.primary()?;
            test.arguments.positional.push(self.postfix(argument, &mut 0)?);
        }
        Ok(test)
    }
}
