//! The parsed template.

use std::rc::Rc;

use super::text::Str;
use super::value::Value;

#[derive(Debug)]
pub enum Stmt {
    Text(Str),
    Print(Expr),
    If {
        branches: Vec<(Expr, Vec<Stmt>)>,
        otherwise: Vec<Stmt>,
    },
    For(Rc<For>),
    Set {
        target: Target,
        value: Expr,
    },
    /// `{% set x %}…{% endset %}`, `{% set x | filter %}…`
    SetBlock {
        target: Target,
        filters: Vec<Filter>,
        body: Vec<Stmt>,
        line: u32,
    },
    With {
        bindings: Vec<(Target, Expr)>,
        body: Vec<Stmt>,
    },
    Macro(Rc<Macro>),
    /// `{% call(args) f(…) %}`
    Call {
        caller: Rc<Macro>,
        call: Expr,
    },
    FilterBlock {
        filters: Vec<Filter>,
        body: Vec<Stmt>,
        line: u32,
    },
    /// A block with a scope of its own: `{% block x %}`, `{% generation %}`. Of the template's own scope if it is `detached`.
    Scope {
        body: Vec<Stmt>,
        detached: bool,
    },
    Autoescape {
        on: Expr,
        body: Vec<Stmt>,
    },
    Break,
    Continue,
    /// Tags that load other templates, of which there are none.
    Loads {
        tag: String,
        line: u32,
    },
}

#[derive(Debug)]
pub struct For {
    pub target: Target,
    pub items: Expr,
    pub condition: Option<Expr>,
    pub body: Vec<Stmt>,
    pub otherwise: Vec<Stmt>,
    pub is_recursive: bool,
    pub line: u32,
}

#[derive(Debug)]
pub struct Macro {
    pub name: String,
    pub parameters: Vec<(String, Option<Expr>)>,
    pub body: Vec<Stmt>,
    /// What the body uses of `varargs`, `kwargs` and `caller`: only then does it take such.
    pub takes_varargs: bool,
    pub takes_kwargs: bool,
    pub takes_caller: bool,
}

#[derive(Debug)]
pub enum Target {
    Name(String),
    /// An attribute of a namespace.
    Attribute {
        name: String,
        attribute: String,
        line: u32,
    },
    Tuple(Vec<Target>, u32),
}

#[derive(Debug)]
pub struct Filter {
    pub name: String,
    pub arguments: Arguments,
}

/// What a call gives, in order.
#[derive(Debug, Default)]
pub struct Arguments {
    pub positional: Vec<Expr>,
    pub named: Vec<(String, Expr)>,
    /// `*list`
    pub list: Option<Expr>,
    /// `**dict`
    pub dict: Option<Expr>,
}

#[derive(Debug)]
pub struct Expr {
    pub kind: Box<Kind>,
    pub line: u32,
}

#[derive(Debug)]
pub enum Kind {
    Const(Value),
    Name(String),
    List(Vec<Expr>),
    Tuple(Vec<Expr>),
    Dict(Vec<(Expr, Expr)>),
    /// Operators of one rank, from the left.
    Binary {
        first: Expr,
        rest: Vec<(Binary, Expr)>,
    },
    Compare {
        first: Expr,
        rest: Vec<(Compare, Expr)>,
    },
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Concat(Vec<Expr>),
    Not(Expr),
    Negative(Expr),
    Positive(Expr),
    If {
        condition: Expr,
        then: Expr,
        otherwise: Option<Expr>,
    },
    Attribute {
        object: Expr,
        name: String,
    },
    Item {
        object: Expr,
        key: Expr,
    },
    Slice {
        object: Expr,
        bounds: [Option<Expr>; 3],
    },
    Call {
        function: Expr,
        arguments: Arguments,
    },
    Filter {
        value: Expr,
        filter: Filter,
    },
    Test {
        value: Expr,
        test: Filter,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    FloorDivide,
    Modulo,
    Power,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compare {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
}
