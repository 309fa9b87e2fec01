import CausalKernelInterface
import Glibc
import Testing

/// The rules as their papers and torch.optim write them, one number at a time.
@Suite struct OptimiseTests {
    @Test(arguments: [0, 1, 3, 8, 21], [0.0, 0.1]) func sgd(_ count: Int, _ decay: Double) {
        everyKernelSet { sgd($0, count, decay, momentum: 0) }
        everyKernelSet { sgd($0, count, decay, momentum: 0.9) }
    }

    private func sgd<K: KernelSet>(_: K.Type, _ count: Int, _ decay: Double, momentum: Double) {
        var random = SplitMix(state: 11)
        var p: [K.Scalar] = random.numbers(count), exact = p.map { Double($0) }
        var m = [K.Scalar](repeating: .nan, count: count), exactM = [Double](repeating: 0, count: count)
        for step in 1...4 {
            let g: [K.Scalar] = random.numbers(count), before = p
            let used = guarded(g) { g in
                p = guarded(p) { p in
                    m = guarded(m) { m in
                        #expect(K.stepSGD(p, gradient: g, momentum: momentum == 0 ? nil : m, rate: 0.05, momentumFactor: momentum, decay: decay,
                                          isFirst: step == 1, count: count))
                    }
                }
            }
            #expect(used == before)
            for i in 0..<count {
                let direction = Double(g[i]) + decay * exact[i]
                exactM[i] = step == 1 ? direction : momentum * exactM[i] + direction
                exact[i] -= 0.05 * (momentum == 0 ? direction : exactM[i])
                expectClose(p[i], exact[i], ulps: 4 * Double(step))
            }
        }
    }

    @Test(arguments: [0, 1, 3, 8, 21], [(0.0, false), (0.1, false), (0.1, true)]) func adam(_ count: Int, _ decay: (Double, Bool)) {
        everyKernelSet { adam($0, count, decay: decay.0, decoupled: decay.1) }
    }

    /// Lanes behind the last parameter hold 0 / 0 then, and tell nothing.
    @Test func adamWithoutEpsilon() {
        everyKernelSet { kernels in withoutEpsilon(kernels) }
    }

    private func withoutEpsilon<K: KernelSet>(_: K.Type) {
        for count in [1, 7, 19] {
            var p = [K.Scalar](repeating: 1, count: count), g = p, m = [K.Scalar](repeating: 0, count: count), v = m
            #expect(K.stepAdam(&p, gradient: &g, mean: &m, variance: &v, step: 1, rate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 0, decay: 0,
                               decoupled: false, count: count))
            for value in p { expectClose(value, 0.9, ulps: 8) }
        }
    }

    /// Where a parameter gets no gradient any more, what Adam remembers of it fades to 0 and is never subnormal, which would be slow.
    @Test func adamForgets() {
        everyKernelSet { kernels in forget(kernels) }
    }

    private func forget<K: KernelSet>(_: K.Type) {
        let count = 19
        var p = [K.Scalar](repeating: 1, count: count), m = p, v = [K.Scalar](repeating: 8 * .leastNormalMagnitude, count: count), nothing = m
        for step in 1...9_000 {
            for i in 0..<count { nothing[i] = 0 }
            _ = K.stepAdam(&p, gradient: &nothing, mean: &m, variance: &v, step: step, rate: 0, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0,
                           decoupled: false, count: count)
            #expect((m + v).allSatisfy { !$0.isSubnormal })
        }
        #expect((m + v).allSatisfy { $0 == 0 })
    }

    private func adam<K: KernelSet>(_: K.Type, _ count: Int, decay: Double, decoupled: Bool) {
        var random = SplitMix(state: 12)
        var p: [K.Scalar] = random.numbers(count), exact = p.map { Double($0) }
        var m = [K.Scalar](repeating: 0, count: count), v = m, exactM = [Double](repeating: 0, count: count), exactV = exactM
        for step in 1...5 {
            let g: [K.Scalar] = random.numbers(count), before = p
            let used = guarded(g) { g in
                p = guarded(p) { p in
                    m = guarded(m) { m in
                        v = guarded(v) { v in
                            #expect(K.stepAdam(p, gradient: g, mean: m, variance: v, step: step, rate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8,
                                               decay: decay, decoupled: decoupled, count: count))
                        }
                    }
                }
            }
            #expect(used == before)
            for i in 0..<count {
                if decoupled { exact[i] *= 1 - 0.01 * decay }
                let gradient = Double(g[i]) + (decoupled ? 0 : decay * exact[i])
                exactM[i] = 0.9 * exactM[i] + 0.1 * gradient
                exactV[i] = 0.999 * exactV[i] + 0.001 * gradient * gradient
                let mean = exactM[i] / (1 - pow(0.9, Double(step))), variance = exactV[i] / (1 - pow(0.999, Double(step)))
                exact[i] -= 0.01 * mean / (variance.squareRoot() + 1e-8)
                expectClose(p[i], exact[i], ulps: 8 * Double(step))
            }
        }
    }

    /// One number that is not finite is enough, wherever it is and whether a gradient brings it or the step is too large; what the parameters were is
    /// where the gradients were.
    @Test func tellsOfWhatIsNotFinite() {
        everyKernelSet { tells($0) }
    }

    private func tells<K: KernelSet>(_: K.Type) {
        var random = SplitMix(state: 13)
        let large = K.Scalar.greatestFiniteMagnitude
        for (count, place) in [(1, 0), (8, 0), (8, 7), (21, 3), (21, 16), (21, 20)] {
            let before: [K.Scalar] = random.numbers(count)
            func steps(_ parameter: K.Scalar, _ gradient: K.Scalar, rate: Double) -> [Bool] {
                [false, true].map { isAdam in
                    var p = before, g = [K.Scalar](repeating: 0.5, count: count), m = [K.Scalar](repeating: 0, count: count), v = m
                    p[place] = parameter
                    g[place] = gradient
                    let start = p
                    let isFinite = isAdam ? K.stepAdam(&p, gradient: &g, mean: &m, variance: &v, step: 1, rate: rate, beta1: 0.9, beta2: 0.999, epsilon: 1e-8,
                                                       decay: 0, decoupled: false, count: count)
                        : K.stepSGD(&p, gradient: &g, momentum: &m, rate: rate, momentumFactor: 0.9, decay: 0, isFirst: true, count: count)
                    #expect(g == start && isFinite == p.allSatisfy(\.isFinite))
                    return isFinite
                }
            }
            #expect(steps(1, 0.5, rate: 0.1) == [true, true])
            #expect(steps(large, 0.5, rate: 0.1) == [true, true])
            #expect(steps(1, .nan, rate: 0.1) == [false, false])
            #expect(steps(1, .infinity, rate: 0.1) == [false, false])
            #expect(steps(-large, large / 2, rate: 1) == [false, true])
            #expect(steps(-large, 1, rate: Double(large)) == [false, false])
        }
    }
}
