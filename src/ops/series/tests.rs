//! What moves rows of series.

use super::Positions;
use crate::ops::testing::{
    Rng, assert_close, batch, blank, blank_series, codes, divided, name, phase, read_blank, run, run_series, series,
    vector,
};

#[test]
fn embeddings() {
    let mut rng = Rng(91);
    for gpu in &divided() {
        for (t, c) in [(1, 16), (5, 48), (67, 128)] {
            let (table, values) = codes(gpu, &mut rng, 9, 1, c);
            let (positions, places) = codes(gpu, &mut rng, 80, 1, c);
            let bias = rng.vec(c, 1.0);
            let tokens: Vec<u32> = (0..t).map(|i| (i * 7 % 9) as u32).collect();
            let (ids, b) = (gpu.buffer_with("tokens", &tokens).unwrap(), vector(gpu, &bias));
            let want = |learned: bool| -> Vec<f64> {
                let of = |i: usize| {
                    let v = values[tokens[i / c] as usize * c + i % c];
                    if learned { v + places[i] + f64::from(bias[i % c]) } else { v }
                };
                (0..t * c).map(of).collect()
            };
            for learned in [false, true] {
                let y = blank_series(gpu, t, c);
                let got = run_series(gpu, &y, |r| {
                    let positions = learned.then_some(Positions { table: &positions, bias: &b });
                    r.embed_codes("test", &ids, &table, positions, &y).unwrap();
                });
                assert_close(&got, &want(learned), 1e-6, &format!("({t}, {c}) {learned} {}", name(gpu)));
            }
        }
    }
}

#[test]
fn rows_are_filled_and_repeated() {
    let mut rng = Rng(92);
    for gpu in &divided() {
        let (t, c, width) = (65, 22, 40);
        let (x, v, before) = (rng.vec(t * c, 1.0), rng.vec(24, 1.0), rng.vec(t * width, 1.0));
        let xs = series(gpu, t, c, &x);
        let vb = gpu.buffer_with("v", &v).unwrap();
        let y = series(gpu, t, width, &before);
        let got = run_series(gpu, &y, |r| r.fill("test", &vb, 8, 12, y.from(24)).unwrap());
        let want: Vec<f32> = (0..t * width)
            .map(|i| if (24..36).contains(&(i % width)) { v[8 + i % width - 24] } else { before[i] })
            .collect();
        assert_eq!(got, want);

        let rows: Vec<u32> = (0..3 * t).map(|i| (i * i % t) as u32).collect();
        let index = gpu.buffer_with("rows", &rows).unwrap();
        let y = blank_series(gpu, rows.len(), c);
        let got = run_series(gpu, &y, |r| r.expand("test", &xs, &index, &y).unwrap());
        let want: Vec<f32> = rows.iter().flat_map(|&row| x[row as usize * c..][..c].to_vec()).collect();
        assert_eq!(got, want);
    }
}

#[test]
fn sums_of_sigmoids() {
    let mut rng = Rng(93);
    for gpu in &divided() {
        for (t, n, scale) in [(1, 50, 3.0), (65, 7, 300.0)] {
            let x = rng.vec(t * n, scale);
            let (xs, y) = (series(gpu, t, n, &x), blank(gpu, t));
            run(gpu, &batch(gpu, 0, 1), phase(1), 1, |r| r.sum_sigmoids("test", &xs, &y).unwrap());
            let sum = |row: &[f32]| row.iter().map(|&v| 1.0 / (1.0 + (-f64::from(v)).exp())).sum::<f64>();
            let want: Vec<f64> = x.chunks_exact(n).map(sum).collect();
            assert_close(&read_blank(gpu, &y, t), &want, 1e-5, &format!("({t}, {n}) {}", name(gpu)));
        }
    }
}
