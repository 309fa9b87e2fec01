@testable import CausalEngine
import CausalKernels
import Glibc
import Testing

/// Products of sizes on both sides of each place where they are cut.
@Suite struct ProductTests {
    private static let sizes = [(1, 300, 40), (3, 37, 40), (300, 1, 40), (191, 127, 255), (193, 129, 257), (400, 70, 600), (1, 1, 3),
                                (1, 37, 40), (300, 1, 7), (37, 1, 64), (13, 1100, 520), (385, 260, 7), (300, 70, 1024), (800, 1100, 390)]

    @Test func isTheProduct() throws {
        try check(Float.self)
        try check(Double.self)
    }

    private func check<Scalar: EngineScalar>(_: Scalar.Type) throws {
        var random = TestRandom(1)
        for (number, (rows, columns, depth)) in ProductTests.sizes.enumerated() {
            for (left, right) in [(false, false), (false, true), (true, false), (true, true)] {
                let product = Product(rows: rows, columns: columns, depth: depth, isLeftTransposed: left, isRightTransposed: right)
                func numbers(_ count: Int) -> [Scalar] { (0..<count).map { _ in Scalar(random.number()) } }
                let a = numbers(rows * depth), b = numbers(depth * columns), before = number % 2 == 0 ? numbers(rows * columns) : nil
                let bias = before == nil ? numbers(columns) : nil, activation: Activation = bias == nil ? .identity : number % 4 == 1 ? .relu : .tanh
                let found = run(product, a, b, bias, activation, before)
                var worst = 0.0
                for i in stride(from: 0, to: rows, by: 7) {
                    for j in stride(from: 0, to: columns, by: 5) {
                        var sum = Double(bias?[j] ?? before![i * columns + j])
                        for p in 0..<depth { sum += Double(a[left ? p * rows + i : i * depth + p]) * Double(b[right ? j * depth + p : p * columns + j]) }
                        let exact = activation == .relu ? max(sum, 0) : activation == .tanh ? tanh(sum) : sum
                        let off = abs(Double(found[i * columns + j]) - exact)
                        worst = off > worst || off.isNaN ? off : worst
                    }
                }
                #expect(worst < Double(depth) * Double(Scalar.ulpOfOne), "\(Scalar.self) (\(rows), \(columns), \(depth)), transposed \(left), \(right)")
            }
        }
    }

    /// No element depends on those beside it, nor on the number of threads.
    @Test(arguments: [517, 1024]) func howItIsCutChangesNoBit(depth: Int) throws {
        var random = TestRandom(2)
        let (rows, columns) = (401, 262)
        let a = (0..<rows * depth).map { _ in Float(random.number()) }, b = (0..<columns * depth).map { _ in Float(random.number()) }
        let before = Threads.count
        defer { try? Threads.set(before) }
        func product(_ rows: Int, _ columns: Int, threads: Int) throws -> [Float] {
            try Threads.set(threads)
            return run(Product(rows: rows, columns: columns, depth: depth, isRightTransposed: true), Array(a[..<(rows * depth)]), Array(b[..<(columns * depth)]),
                       nil, .identity, nil)
        }
        let whole = try product(rows, columns, threads: 1)
        for threads in [2, 5] { #expect(try product(rows, columns, threads: threads) == whole) }
        for (fewer, narrower) in [(2, 262), (192, 2), (13, 130), (400, 33)] {
            let part = try product(fewer, narrower, threads: 2)
            #expect(part == (0..<fewer).flatMap { i in (0..<narrower).map { whole[i * columns + $0] } })
        }
    }

    private func run<Scalar: EngineScalar>(_ product: Product, _ a: [Scalar], _ b: [Scalar], _ bias: [Scalar]?, _ activation: Activation,
                                           _ before: [Scalar]?) -> [Scalar] {
        var c = before ?? [Scalar](repeating: .nan, count: product.rows * product.columns)
        var panels = [Scalar](repeating: .nan, count: product.panelCount(Scalar.self))
        c.withUnsafeMutableBufferPointer { c in
            panels.withUnsafeMutableBufferPointer { panels in
                product(a, b, bias: bias, activation: activation, accumulates: before != nil, into: c.baseAddress!, panels: panels.baseAddress!)
            }
        }
        return c
    }
}
