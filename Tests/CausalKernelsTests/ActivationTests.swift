import CausalKernelInterface
import Glibc
import Testing

/// Function and derivative in double precision.
func exact(_ activation: Activation, _ x: Double) -> (value: Double, slope: Double) {
    switch activation {
    case .identity: return (x, 1)
    case .relu: return (max(x, 0), x > 0 ? 1 : 0)
    case .leakyRelu: return (x > 0 ? x : 0.01 * x, x > 0 ? 1 : 0.01)
    case .elu: return (x > 0 ? x : expm1(x), x > 0 ? 1 : exp(x))
    case .gelu:
        let distribution = 0.5 * (1 + erf(x / 2.0.squareRoot())), density = exp(-0.5 * x * x) / (2 * Double.pi).squareRoot()
        return (distribution == 0 ? 0 : x * distribution, distribution + (density > 0 ? x * density : 0))
    case .tanh: return (Glibc.tanh(x), 1 - Glibc.tanh(x) * Glibc.tanh(x))
    case .sigmoid:
        let s = 1 / (1 + exp(-x))
        return (s, s * (1 - s))
    case .silu:
        let s = 1 / (1 + exp(-x))
        return (x * s, s * (1 + x * (1 - s)))
    case .softplus: return x > 20 ? (x, 1) : (log1p(exp(x)), 1 / (1 + exp(-x)))
    }
}

@Suite struct ActivationTests {
    @Test(arguments: Activation.allCases) func valuesAndDerivatives(_ activation: Activation) {
        everyKernelSet { check($0, activation) }
    }

    private func check<K: KernelSet>(_: K.Type, _ activation: Activation) {
        var random = SplitMix(state: 3)
        let special: [K.Scalar] = [0, -0.0, 1, -1, 1e-6, -1e-6, 19.999, 20, 20.001, -20, 50, -50, 87, -87, 100, -100, 1e4, -1e4]
        for count in [0, 1, 3, 4, 7, 8, 9, 16, 31, 200] {
            let x = Array((special + random.numbers(count, within: 8)).prefix(max(count, count > 30 ? count : 0))), n = x.count
            let y = guarded(x) { K.activate(activation, x, into: $0, count: n) }
            let elsewhere = guarded(x) { K.activate(activation, $0, into: $0, count: n) }
            #expect(y == elsewhere, "in place")
            let incoming: [K.Scalar] = random.numbers(n)
            let input = activation.needsInputForGradient ? x : nil
            let g = guarded(x) { K.activationGradient(activation, output: y, input: input, gradient: incoming, into: $0, count: n) }
            #expect(g == guarded(incoming) { K.activationGradient(activation, output: y, input: input, gradient: $0, into: $0, count: n) }, "in place")
            #expect(g == guarded(y) { K.activationGradient(activation, output: $0, input: input, gradient: incoming, into: $0, count: n) }, "on the output")
            for i in 0..<n {
                let expected = exact(activation, Double(x[i]))
                expectClose(y[i], expected.value, ulps: 4, "\(K.self) \(activation)(\(x[i]))")
                expectClose(g[i], Double(incoming[i]) * expected.slope, ulps: 8, "\(K.self) \(activation)'(\(x[i]))")
            }
        }
    }

    /// Where no gradient comes in none goes out, whatever is there: 0 times NaN would be NaN.
    @Test(arguments: Activation.allCases) func nothingComesOfNothing(_ activation: Activation) {
        func check<K: KernelSet>(_: K.Type) {
            let nans = [K.Scalar](repeating: .nan, count: 19)
            let g = guarded([K.Scalar](repeating: 0, count: 19)) {
                K.activationGradient(activation, output: nans, input: nans, gradient: $0, into: $0, count: 19)
            }
            #expect(g.allSatisfy { $0 == 0 })
        }
        everyKernelSet { check($0) }
    }

    @Test(arguments: Activation.allCases) func nanIsNotHidden(_ activation: Activation) {
        func check<K: KernelSet>(_: K.Type) {
            for place in [0, 5, 8] {
                var x = [K.Scalar](repeating: 0.5, count: 9)
                x[place] = .nan
                let y = guarded(x) { K.activate(activation, x, into: $0, count: 9) }
                for i in 0..<9 { #expect(y[i].isNaN == (i == place), "\(K.self) \(activation)") }
            }
        }
        everyKernelSet { check($0) }
    }
}
