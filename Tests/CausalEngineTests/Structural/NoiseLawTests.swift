import CausalEngine
import Glibc
import Testing

@Suite struct NoiseLawTests {
    static let laws: [NoiseLaw] = [.additive, .locationScale, .spline(pieces: 2), .spline(pieces: 8), .gumbel(levels: 2), .gumbel(levels: 5)]

    private func head(_ law: NoiseLaw, _ random: inout Random) -> [Double] { (0..<law.headWidth).map { _ in 3 * (2 * random.uniform() - 1) } }

    /// The value tells the noise, and the noise the value, in the tails too.
    @Test(arguments: laws.filter(\.isInvertible)) func abductionInvertsGeneration(_ law: NoiseLaw) {
        var random = Random(seed: 1, purpose: .noise, index: 0)
        for _ in 0..<2_000 {
            let head = head(law, &random), noise = 14 * (random.uniform() - 0.5)
            let value = law.generate(head, [noise])
            #expect(abs(law.abduct(head, value) - noise) < 1e-9 * max(1, abs(noise)), "\(law)")
        }
    }

    @Test(arguments: laws.filter(\.isInvertible)) func valuesIncreaseWithNoise(_ law: NoiseLaw) {
        var random = Random(seed: 2, purpose: .noise, index: 0)
        for _ in 0..<50 {
            let head = head(law, &random)
            let values = (0...400).map { law.generate(head, [-8 + 0.04 * Double($0)]) }
            #expect(zip(values, values.dropFirst()).allSatisfy { $0 < $1 }, "\(law)")
        }
    }

    @Test(arguments: laws) func gradientOfTheLogDensity(_ law: NoiseLaw) {
        var random = Random(seed: 3, purpose: .noise, index: 0)
        for _ in 0..<300 {
            var head = head(law, &random), gradient = [Double](repeating: .nan, count: law.headWidth)
            let value = law.isInvertible ? 6 * (random.uniform() - 0.5) : Double(random.index(below: law.headWidth))
            _ = law.logDensity(head, value, gradient: &gradient)
            for k in head.indices {
                let step = 1e-5, at = head[k]
                head[k] = at + step
                let above = law.logDensity(head, value, gradient: nil)
                head[k] = at - step
                let below = law.logDensity(head, value, gradient: nil)
                head[k] = at
                let slope = (above - below) / (2 * step)
                // A knot of the spline within the step has two slopes.
                #expect(abs(gradient[k] - slope) < 1e-5 * max(1, abs(slope)), "\(law) head \(k): \(gradient[k]), differences \(slope)")
            }
        }
    }

    @Test(arguments: laws) func densitiesAddUpToOne(_ law: NoiseLaw) {
        var random = Random(seed: 4, purpose: .noise, index: 0)
        for _ in 0..<5 {
            let head = head(law, &random).map { $0 / 3 }
            if case .gumbel(let levels) = law {
                #expect(abs((0..<levels).reduce(0) { $0 + exp(law.logDensity(head, Double($1), gradient: nil)) } - 1) < 1e-12)
            } else {
                let step = 1e-3
                let sum = stride(from: -60.0, through: 60, by: step).reduce(0) { $0 + step * exp(law.logDensity(head, $1, gradient: nil)) }
                #expect(abs(sum - 1) < 1e-3, "\(law): \(sum)")
            }
        }
    }

    /// Gumbel noise that is drawn given the level reproduces the level, and over all levels it is Gumbel noise again.
    @Test func posteriorOfGumbelNoise() {
        let logits = [0.3, -1, 1.2], law = NoiseLaw.gumbel(levels: 3), total = logits.reduce(0) { $0 + exp($1) }
        var random = Random(seed: 5, purpose: .noise, index: 0), noise = [Double](repeating: 0, count: 3), sums = [Double](repeating: 0, count: 3)
        let draws = 200_000
        for _ in 0..<draws {
            var u = random.uniform() * total, level = 0
            while level < 2, u > exp(logits[level]) {
                u -= exp(logits[level])
                level += 1
            }
            Gumbel.posterior(logits, levels: 3, largest: level, &random, into: &noise)
            #expect(law.generate(logits, noise) == Double(level))
            for k in 0..<3 { sums[k] += noise[k] }
        }
        // The mean of a Gumbel variable is Euler's constant, its standard deviation 1.28.
        for k in 0..<3 { #expect(abs(sums[k] / Double(draws) - 0.57721566) < 0.015, "\(k): \(sums[k] / Double(draws))") }
    }
}
