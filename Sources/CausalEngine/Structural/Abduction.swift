internal import CausalKernels
internal import Glibc

extension MechanismTable {
    /// The noise that made some rows: (rows, noiseWidth) from (rows, variables). Exact for an invertible mechanism; for a category that was
    /// seen the noise is drawn from what it leaves open (Maddison and Tarlow 2017, "Gumbel machinery"; Oberst and Sontag 2019, section 3.2).
    ///
    /// Noise is NaN where the variable or a parent is missing, and where `isSet` says that do() set the variable.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    func abduct(_ values: MatrixView<Double>, isSet: MatrixView<UInt8>?, member: Int, seed: UInt64,
                into noise: UnsafeMutablePointer<Double>) throws(EngineError) {
        try forEachChunk(of: values.rows) { rows throws(EngineError) in
            let chunk = values.rows(from: rows.lowerBound, count: rows.count)
            for (v, mechanism) in list.enumerated() {
                let width = mechanism.headWidth, target = noise + rows.lowerBound * noiseWidth + noiseOffsets[v]
                try withScratch(rows.count * width, Double.self) { heads throws(EngineError) in
                    try mechanism.heads(chunk, member: member, into: heads)
                    for i in 0..<rows.count {
                        let value = chunk.pointer[i * chunk.columns + v], head = heads + i * width, target = target + i * noiseWidth
                        let isUnknown = isSet.map { $0.pointer[(rows.lowerBound + i) * $0.columns + v] != 0 } ?? false
                            || !value.isFinite || (0..<width).contains { !head[$0].isFinite }
                        if isUnknown {
                            target.update(repeating: .nan, count: mechanism.noiseWidth)
                        } else if mechanism.isInvertible {
                            target[0] = mechanism.abduct(head, value)
                        } else {
                            var random = Random(seed: seed, purpose: .abduction, index: (rows.lowerBound + i) * count + v)
                            Gumbel.posterior(head, levels: width, largest: Int(value), &random, into: target)
                        }
                    }
                }
            }
        }
    }
}

/// Gumbel noise: its maximum after adding logits picks a category with the probabilities that the logits stand for.
package enum Gumbel {
    package static func draw(_ random: inout Random) -> Double { -log(-log(random.openUniform())) }

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
