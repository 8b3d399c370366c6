//! `explain CODE`.

use crate::args::{Explain, Global};
use crate::codes;
use crate::failure::{self, Failure};
use crate::output::{self, Align, Table};
use stead_gateway::codes::Page;

pub(super) fn run(global: &Global, args: &Explain) -> Result<u8, Failure> {
    let Some(code) = &args.code else {
        let pages = codes::all();
        if global.json {
            output::json(&pages.iter().map(|page| json(page)).collect::<Vec<_>>());
            return Ok(failure::OK);
        }
        let mut table = Table::new(&[("CODE", Align::Left), ("WHAT", Align::Left)]);
        for page in pages {
            table.row([page.code.to_string(), page.title.to_owned()]);
        }
        table.print();
        return Ok(failure::OK);
    };
    let Some(page) = codes::find(code) else {
        return Err(
            Failure::usage(format!("there is no error code {code:?}")).next("`stead explain` lists them all")
        );
    };
    if global.json {
        output::json(&json(page));
    } else {
        output::line(format_args!(
            "{}: {}\n\n{}\n\nNext step: {}",
            page.code, page.title, page.meaning, page.next
        ));
    }
    Ok(failure::OK)
}

fn json(page: &Page) -> serde_json::Value {
    serde_json::json!({
        "code": page.code.to_string(),
        "title": page.title,
        "meaning": page.meaning,
        "next": page.next,
    })
}
