internal import CausalKernels
internal import Glibc

extension MechanismTable {
    /// The noise that made some rows, (rows, noiseWidth).
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    func abduct(_ factual: MatrixView<Double>, isSet: MatrixView<UInt8>?, member: Int, seed: UInt64, into noise: MutableMatrixView<Double>) throws(EngineError) {
        try forEachChunk(of: 0..<factual.rows) { rows throws(EngineError) in
            try withColumns(count + noiseWidth, rows: rows.count, Double.self) { values throws(EngineError) in
                values.read(factual, from: rows.lowerBound)
                try abduct(values, isSet: isSet, rows, member: member, seed: seed, into: values.from(count))
                values.from(count).write(to: noise, from: rows.lowerBound)
            }
        }
    }

    /// The noise that made the values of a chunk of rows. Exact for an invertible mechanism; for a category that was seen the noise is drawn from
    /// what it leaves open (Maddison and Tarlow 2017, "Gumbel machinery"; Oberst and Sontag 2019, section 3.2).
    ///
    /// Noise is NaN where the variable or a parent is missing, and where `isSet` says that do() set the variable.
    func abduct(_ values: Columns<Double>, isSet: MatrixView<UInt8>?, _ rows: Range<Int>, member: Int, seed: UInt64, into noise: Columns<Double>)
        throws(EngineError) {
        for (v, mechanism) in list.enumerated() {
            let width = mechanism.headWidth, value = values[v], target = noise.from(noiseOffsets[v])
            try withColumns(width, rows: values.rows, Double.self) { heads throws(EngineError) in
                try mechanism.heads(values, member: member, into: heads)
                withUnsafeTemporaryAllocation(of: Double.self, capacity: width + mechanism.noiseWidth) { row in
                    let head = row.baseAddress!, drawn = head + width
                    for i in 0..<values.rows {
                        for k in 0..<width { head[k] = heads[k][i] }
                        let isUnknown = isSet.map { $0.pointer[(rows.lowerBound + i) * $0.columns + v] != 0 } ?? false
                            || !value[i].isFinite || (0..<width).contains { !head[$0].isFinite }
                        if isUnknown {
                            drawn.update(repeating: .nan, count: mechanism.noiseWidth)
                        } else if mechanism.isInvertible {
                            let standard = mechanism.scale.standard(value[i])
                            drawn[0] = mechanism.isRoot ? standard : mechanism.law.abduct(head, standard)
                        } else {
                            var random = Random(seed: seed, purpose: .abduction, index: (rows.lowerBound + i) * count + v)
                            Gumbel.posterior(head, levels: width, largest: Int(value[i]), &random, into: drawn)
                        }
                        for k in 0..<mechanism.noiseWidth { target[k][i] = drawn[k] }
                    }
                }
            }
        }
    }
}

/// Gumbel noise: its maximum after adding logits picks a category with the probabilities that the logits stand for.
package enum Gumbel {
    package static func draw(_ random: inout Random) -> Double { quantile(random.openUniform()) }
    static func quantile(_ rank: Double) -> Double { -log(-log(rank)) }

    /// Noises given that level `largest` won, top down: the largest sum is Gumbel around log sum exp, the others are Gumbel below it.
    package static func posterior(_ logits: UnsafePointer<Double>, levels: Int, largest: Int, _ random: inout Random, into noise: UnsafeMutablePointer<Double>) {
        var top = -Double.infinity
        for k in 0..<levels { top = max(top, logits[k]) }
        var sum = 0.0
        for k in 0..<levels { sum += exp(logits[k] - top) }
        let winner = top + log(sum) + draw(&random)
        for k in 0..<levels {
            if k == largest {
                noise[k] = winner - logits[k]
            } else {
                // Truncated at the winner: -log(exp(-winner) + exp(-g)) with g Gumbel around the logit.
                let g = draw(&random) + logits[k], (low, high) = (min(g, winner), max(g, winner))
                noise[k] = low - log1p(exp(low - high)) - logits[k]
            }
        }
    }
}
