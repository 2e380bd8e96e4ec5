//! The interpreter: statements write, expressions have values.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::ast::{Arguments, Compare, Expr, Filter, Kind, Macro, Stmt, Target};
use super::budget::{Budget, OVERHEAD};
use super::call::{Args, Callable};
use super::loops::Loop;
use super::scope::Scope;
use super::strings::{escape, write};
use super::text::{Builder, Str};
use super::time::CivilTime;
use super::value::Value;
use super::{Result, builtins, dict, fault, filters, methods, ops, tests};
use crate::tokenizer::Prompt;

/// One rendering.
pub struct Interpreter<'b> {
    pub budget: &'b Budget,
    pub now: CivilTime,
    /// The attributes of each `namespace()`.
    pub namespaces: RefCell<Vec<Vec<(Value, Value)>>>,
    /// Scopes that macros hold, and that hold these macros.
    closures: RefCell<Vec<Rc<Scope>>>,
    /// `{% autoescape true %}`
    pub escapes: Cell<bool>,
}

/// How statements end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    On,
    Break,
    Continue,
}

impl Drop for Interpreter<'_> {
    fn drop(&mut self) {
        self.closures.take().iter().for_each(|scope| scope.clear());
    }
}

impl<'b> Interpreter<'b> {
    pub fn new(budget: &'b Budget, now: CivilTime) -> Self {
        Interpreter {
            budget,
            now,
            namespaces: RefCell::default(),
            closures: RefCell::default(),
            escapes: Cell::new(false),
        }
    }

    pub fn render(&self, body: &[Stmt], scope: &Rc<Scope>) -> Result<Prompt> {
        let mut out = Builder::new(self.budget);
        self.run_whole(body, scope, scope, &mut out)?;
        out.into_prompt()
    }

    /// Runs statements that no loop is around, or none that they could leave.
    fn run_whole(&self, body: &[Stmt], scope: &Rc<Scope>, root: &Rc<Scope>, out: &mut Builder) -> Result<()> {
        match self.run(body, scope, root, out)? {
            Flow::On => Ok(()),
            Flow::Break | Flow::Continue => fault!("'break' or 'continue' outside of a loop"),
        }
    }

    /// Runs statements. `root` is the template's own scope.
    fn run(&self, body: &[Stmt], scope: &Rc<Scope>, root: &Rc<Scope>, out: &mut Builder) -> Result<Flow> {
        let _level = self.budget.enter()?;
        for statement in body {
            let flow = self.statement(statement, scope, root, out)?;
            if flow != Flow::On {
                return Ok(flow);
            }
        }
        Ok(Flow::On)
    }

    fn statement(&self, statement: &Stmt, scope: &Rc<Scope>, root: &Rc<Scope>, out: &mut Builder) -> Result<Flow> {
        self.budget.steps(1)?;
        match statement {
            Stmt::Text(text) => out.push(text),
            Stmt::Print(value) => {
                let printed = self.eval(value, scope)?;
                self.print(&printed, out).map_err(|fault| fault.at(value.line))?;
            }
            Stmt::If { branches, otherwise } => {
                for (condition, body) in branches {
                    if self.truth(condition, scope)? {
                        return self.run(body, scope, root, out);
                    }
                }
                return self.run(otherwise, scope, root, out);
            }
            Stmt::For(node) => {
                let items = self.eval(&node.items, scope)?;
                let all =
                    Loop::new(node.clone(), items, scope.clone(), 0, self).map_err(|fault| fault.at(node.line))?;
                self.rounds(Rc::new(all), root, out).map_err(|fault| fault.at(node.line))?;
            }
            Stmt::Set { target, value } => {
                let value = self.eval(value, scope)?;
                self.assign(target, value, scope)?;
            }
            Stmt::SetBlock { target, filters, body, line } => {
                let text = self.captured(body, &scope.inner(), root)?;
                let value = self.filtered(text.into(), filters, scope).map_err(|fault| fault.at(*line))?;
                self.assign(target, value, scope)?;
            }
            Stmt::With { bindings, body } => {
                let inner = scope.inner();
                for (target, value) in bindings {
                    let value = self.eval(value, scope)?;
                    self.assign(target, value, &inner)?;
                }
                return self.run(body, &inner, root, out);
            }
            Stmt::Macro(node) => scope.set(&node.name, self.closure(node, scope)?),
            Stmt::Call { caller, call } => {
                let Kind::Call { function, arguments } = &*call.kind else { return Ok(Flow::On) };
                let mut args = self.arguments(arguments, scope)?;
                args.named.push(("caller".into(), self.closure(caller, scope)?));
                let function = self.eval(function, scope)?;
                let value = self.call(&function, args).map_err(|fault| fault.at(call.line))?;
                self.print(&value, out)?;
            }
            Stmt::FilterBlock { filters, body, line } => {
                let text = self.captured(body, &scope.inner(), root)?;
                let value = self.filtered(text.into(), filters, scope).map_err(|fault| fault.at(*line))?;
                self.print(&value, out).map_err(|fault| fault.at(*line))?;
            }
            Stmt::Scope { body, detached } => {
                let around = if *detached { root } else { scope };
                return self.run(body, &around.inner(), root, out);
            }
            Stmt::Autoescape { on, body } => {
                let before = self.escapes.replace(self.truth(on, scope)?);
                let flow = self.run(body, &scope.inner(), root, out);
                self.escapes.set(before);
                return flow;
            }
            Stmt::Break => return Ok(Flow::Break),
            Stmt::Continue => return Ok(Flow::Continue),
            Stmt::Loads { tag, line } => {
                let fault = super::Fault::new(format!("'{tag}' loads another template, and there is none"));
                return Err(fault.at(*line));
            }
        }
        Ok(Flow::On)
    }

    fn print(&self, value: &Value, out: &mut Builder) -> Result<()> {
        match self.escapes.get() {
            true => {
                out.push(&escape(value, self.budget)?);
                Ok(())
            }
            false => write(value, out, self.budget),
        }
    }

    /// What statements write.
    fn captured(&self, body: &[Stmt], scope: &Rc<Scope>, root: &Rc<Scope>) -> Result<Str> {
        let mut out = Builder::new(self.budget);
        self.run_whole(body, scope, root, &mut out)?;
        Ok(out.finish()?.with_safe(self.escapes.get()))
    }

    fn rounds(&self, all: Rc<Loop>, root: &Rc<Scope>, out: &mut Builder) -> Result<()> {
        // As in Jinja2, a round that `continue` or `break` ends early does not count.
        let mut is_empty = true;
        while let Some(item) = all.next(self)? {
            let scope = all.outer.inner();
            scope.set("loop", Value::Loop(all.clone()));
            self.assign(&all.node.target, item, &scope)?;
            match self.run(&all.node.body, &scope, root, out)? {
                Flow::On => is_empty = false,
                Flow::Continue => {}
                Flow::Break => break,
            }
        }
        if is_empty {
            self.run(&all.node.otherwise, &all.outer.inner(), root, out)?;
        }
        Ok(())
    }

    /// `loop(items)` of a recursive loop.
    fn recurse(&self, around: &Rc<Loop>, items: Value) -> Result<Value> {
        if !around.node.is_recursive {
            fault!("the loop is not recursive");
        }
        let inner = Loop::new(around.node.clone(), items, around.outer.clone(), around.depth + 1, self)?;
        let mut out = Builder::new(self.budget);
        self.rounds(Rc::new(inner), &around.outer, &mut out)?;
        Ok(out.finish()?.with_safe(self.escapes.get()).into())
    }

    pub fn assign(&self, target: &Target, value: Value, scope: &Rc<Scope>) -> Result<()> {
        match target {
            Target::Name(name) => {
                if scope.is_kept() {
                    self.budget.bytes(OVERHEAD)?;
                }
                scope.set(name, value);
            }
            Target::Attribute { name, attribute, line } => {
                let Some(Value::Namespace(i)) = scope.get(name) else {
                    return Err(super::Fault::new("cannot assign attribute on non-namespace object").at(*line));
                };
                let entries = &mut self.namespaces.borrow_mut()[i];
                dict::insert(entries, Value::text(attribute), value, self.budget)?;
            }
            Target::Tuple(targets, line) => {
                let values = ops::items(&value, self.budget).map_err(|fault| fault.at(*line))?;
                if values.len() != targets.len() {
                    let message = format!("{} values for {} names", values.len(), targets.len());
                    return Err(super::Fault::new(message).at(*line));
                }
                for (target, value) in targets.iter().zip(values) {
                    self.assign(target, value, scope)?;
                }
            }
        }
        Ok(())
    }

    fn closure(&self, node: &Rc<Macro>, scope: &Rc<Scope>) -> Result<Value> {
        self.budget.bytes((2 + scope.keep()) * OVERHEAD)?;
        self.closures.borrow_mut().push(scope.clone());
        Ok(Value::Callable(Rc::new(Callable::Macro(node.clone(), scope.clone()))))
    }

    pub fn method(&self, object: Value, name: &'static str) -> Value {
        Value::Callable(Rc::new(Callable::Method(object, name)))
    }

    pub fn truth(&self, expr: &Expr, scope: &Rc<Scope>) -> Result<bool> {
        Ok(self.eval(expr, scope)?.is_true())
    }

    pub fn eval(&self, expr: &Expr, scope: &Rc<Scope>) -> Result<Value> {
        self.budget.steps(1)?;
        let _level = self.budget.enter()?;
        self.eval_kind(&expr.kind, scope).map_err(|fault| fault.at(expr.line))
    }

    fn all(&self, items: &[Expr], scope: &Rc<Scope>) -> Result<Vec<Value>> {
        items.iter().map(|item| self.eval(item, scope)).collect()
    }

    fn eval_kind(&self, kind: &Kind, scope: &Rc<Scope>) -> Result<Value> {
        let budget = self.budget;
        Ok(match kind {
            Kind::Const(value) => value.clone(),
            Kind::Name(name) => scope.get(name).or_else(|| builtins::global(name)).unwrap_or_default(),
            Kind::List(items) => Value::list(self.all(items, scope)?, budget)?,
            Kind::Tuple(items) => Value::tuple(self.all(items, scope)?, budget)?,
            Kind::Dict(pairs) => {
                let mut entries = Vec::new();
                for (key, value) in pairs {
                    let key = self.eval(key, scope)?;
                    dict::insert(&mut entries, key, self.eval(value, scope)?, budget)?;
                }
                Value::dict(entries, budget)?
            }
            Kind::Binary { first, rest } => {
                let mut value = self.eval(first, scope)?;
                for (operator, operand) in rest {
                    value = ops::binary(*operator, &value, &self.eval(operand, scope)?, budget)?;
                }
                value
            }
            Kind::Compare { first, rest } => return self.compare(first, rest, scope),
            Kind::And(items) | Kind::Or(items) => {
                let ends_at = matches!(kind, Kind::Or(_));
                let mut value = Value::Undefined;
                for item in items {
                    value = self.eval(item, scope)?;
                    if value.is_true() == ends_at {
                        break;
                    }
                }
                value
            }
            Kind::Concat(items) => {
                let mut out = Builder::new(budget);
                for item in items {
                    let value = self.eval(item, scope)?;
                    self.print(&value, &mut out)?;
                }
                out.finish()?.with_safe(self.escapes.get()).into()
            }
            Kind::Not(value) => (!self.truth(value, scope)?).into(),
            Kind::Negative(value) | Kind::Positive(value) => {
                let value = self.eval(value, scope)?;
                let is_negative = matches!(kind, Kind::Negative(_));
                match (value.as_index(), &value) {
                    (Some(n), _) => Value::Int(if is_negative { n.saturating_neg() } else { n }),
                    (None, Value::Float(x)) => Value::Float(if is_negative { -x } else { *x }),
                    (None, Value::Undefined) => fault!("undefined value"),
                    _ => fault!("{} has no sign", value.kind()),
                }
            }
            Kind::If { condition, then, otherwise } => match (self.truth(condition, scope)?, otherwise) {
                (true, _) => self.eval(then, scope)?,
                (false, Some(otherwise)) => self.eval(otherwise, scope)?,
                (false, None) => Value::Undefined,
            },
            Kind::Attribute { object, name } => self.attribute(&self.eval(object, scope)?, name)?,
            Kind::Item { object, key } => self.item(&self.eval(object, scope)?, &self.eval(key, scope)?)?,
            Kind::Slice { object, bounds } => {
                let object = self.eval(object, scope)?;
                let mut found = [None; 3];
                let mut are_whole = true;
                for (slot, bound) in found.iter_mut().zip(bounds) {
                    let value = bound.as_ref().map(|bound| self.eval(bound, scope)).transpose()?;
                    let value = value.unwrap_or(Value::None);
                    *slot = value.as_index();
                    are_whole = are_whole && (slot.is_some() || matches!(value, Value::None));
                }
                if !are_whole {
                    fault!("the bounds of a slice are integers");
                }
                ops::slice(&object, found, budget)?
            }
            Kind::Call { function, arguments } => {
                let function = self.eval(function, scope)?;
                self.call(&function, self.arguments(arguments, scope)?)?
            }
            Kind::Filter { value, filter } => {
                let value = self.eval(value, scope)?;
                let args = self.arguments(&filter.arguments, scope)?;
                filters::apply(&filter.name, value, args, self)?
            }
            Kind::Test { value, test } => {
                let value = self.eval(value, scope)?;
                let args = self.arguments(&test.arguments, scope)?;
                tests::apply(&test.name, &value, args, self)?.into()
            }
        })
    }

    fn compare(&self, first: &Expr, rest: &[(Compare, Expr)], scope: &Rc<Scope>) -> Result<Value> {
        let mut left = self.eval(first, scope)?;
        for (operator, right) in rest {
            let right = self.eval(right, scope)?;
            if !ops::compare(*operator, &left, &right, self.budget)? {
                return Ok(false.into());
            }
            left = right;
        }
        Ok(true.into())
    }

    fn filtered(&self, mut value: Value, filters: &[Filter], scope: &Rc<Scope>) -> Result<Value> {
        for filter in filters {
            let args = self.arguments(&filter.arguments, scope)?;
            value = filters::apply(&filter.name, value, args, self)?;
        }
        Ok(value)
    }

    fn arguments(&self, arguments: &Arguments, scope: &Rc<Scope>) -> Result<Args> {
        let mut args = Args { positional: self.all(&arguments.positional, scope)?, named: Vec::new() };
        for (name, value) in &arguments.named {
            args.named.push((name.clone(), self.eval(value, scope)?));
        }
        if let Some(list) = &arguments.list {
            args.positional.extend(ops::items(&self.eval(list, scope)?, self.budget)?);
        }
        if let Some(more) = &arguments.dict {
            match self.eval(more, scope)? {
                Value::Dict(dict) => {
                    for (key, value) in &dict.entries {
                        let Some(name) = key.as_str() else { fault!("the names of arguments are strings") };
                        if args.named.iter().any(|(other, _)| other == name) {
                            fault!("the argument '{name}' is given twice");
                        }
                        args.named.push((name.to_owned(), value.clone()));
                    }
                }
                other => fault!("'**' takes a dict, there is {}", other.kind()),
            }
        }
        Ok(args)
    }

    /// `object.name`: an attribute, else an item.
    pub fn attribute(&self, object: &Value, name: &str) -> Result<Value> {
        if let Some(found) = self.own_attribute(object, name)? {
            return Ok(found);
        }
        Ok(ops::item(object, &Value::text(name), self.budget)?.unwrap_or_default())
    }

    /// What Python's `getattr` finds. A method that the sandbox forbids is there, but undefined.
    pub fn own_attribute(&self, object: &Value, name: &str) -> Result<Option<Value>> {
        match object {
            Value::Undefined => fault!("undefined value"),
            Value::Namespace(i) => {
                let all = self.namespaces.borrow();
                return Ok(all[*i].iter().find(|(key, _)| key.as_str() == Some(name)).map(|(_, value)| value.clone()));
            }
            Value::Loop(around) => return around.get(name, self),
            Value::Callable(callable) => return Ok(builtins::attribute(callable, name, self)),
            Value::Tuple(list) if list.is_group && name == "grouper" => return Ok(list.items.first().cloned()),
            Value::Tuple(list) if list.is_group && name == "list" => return Ok(list.items.get(1).cloned()),
            _ => {}
        }
        if methods::is_forbidden(object, name) {
            return Ok(Some(Value::Undefined));
        }
        Ok(methods::name_of(object, name).map(|name| self.method(object.clone(), name)))
    }

    /// `object[key]`: an item, else an attribute.
    pub fn item(&self, object: &Value, key: &Value) -> Result<Value> {
        if let Some(found) = ops::item(object, key, self.budget)? {
            return Ok(found);
        }
        match key {
            Value::Str(name) => Ok(self.own_attribute(object, name.as_str())?.unwrap_or_default()),
            _ => Ok(Value::Undefined),
        }
    }

    pub fn call(&self, function: &Value, args: Args) -> Result<Value> {
        let _level = self.budget.enter()?;
        match function {
            Value::Undefined => fault!("undefined value"),
            Value::Loop(around) => {
                let [items] = args.bind("loop", ["iterable"], 1)?;
                self.recurse(around, items.unwrap_or_default())
            }
            Value::Callable(callable) => match &**callable {
                Callable::Function(name) => builtins::call(name, args, self),
                Callable::Method(object, name) => methods::call(object, name, args, self),
                Callable::Macro(node, scope) => self.call_macro(node, scope, args),
                Callable::Cycler(items, at) => {
                    let _: [_; 0] = args.bind("cycler", [], 0)?;
                    Ok(builtins::next_of(items, at))
                }
                Callable::Joiner(separator, used) => {
                    let _: [_; 0] = args.bind("joiner", [], 0)?;
                    Ok(if used.replace(true) { separator.clone().into() } else { Value::text("") })
                }
            },
            other => fault!("{} is not callable", other.kind()),
        }
    }

    fn call_macro(&self, node: &Macro, around: &Rc<Scope>, args: Args) -> Result<Value> {
        let scope = around.inner();
        let n = node.parameters.len();
        let mut bound = vec![None; n];
        let mut more = args.positional.into_iter();
        for (slot, value) in bound.iter_mut().zip(&mut more) {
            *slot = Some(value);
        }
        let varargs: Vec<Value> = more.collect();
        if !varargs.is_empty() && !node.takes_varargs {
            fault!("macro '{}' takes not more than {n} arguments", node.name);
        }
        let mut kwargs = Vec::new();
        let mut caller = Value::Undefined;
        for (name, value) in args.named {
            match node.parameters.iter().position(|(parameter, _)| *parameter == name) {
                Some(i) if bound[i].is_some() => fault!("macro '{}' got its argument '{name}' twice", node.name),
                Some(i) => bound[i] = Some(value),
                None if name == "caller" && node.takes_caller => caller = value,
                None if node.takes_kwargs => kwargs.push((Value::text(&name), value)),
                None => fault!("macro '{}' takes no argument '{name}'", node.name),
            }
        }
        if node.takes_caller {
            scope.set("caller", caller);
        }
        if node.takes_kwargs {
            scope.set("kwargs", Value::dict(kwargs, self.budget)?);
        }
        if node.takes_varargs {
            scope.set("varargs", Value::tuple(varargs, self.budget)?);
        }
        for ((name, default), value) in node.parameters.iter().zip(bound) {
            let value = match (value, default) {
                (Some(value), _) => value,
                (None, Some(default)) => self.eval(default, &scope)?,
                (None, None) => Value::Undefined,
            };
            scope.set(name, value);
        }
        Ok(self.captured(&node.body, &scope, around)?.into())
    }
}
