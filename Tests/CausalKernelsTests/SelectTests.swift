import CausalKernelInterface
import Testing

@Suite struct SelectTests {
    /// Rows shared or not, for mask and values.
    private static let sharing = [(false, false), (false, true), (true, false), (true, true)]

    @Test(arguments: [(1, 1), (3, 3), (5, 8), (4, 17), (7, 33), (0, 4)], sharing)
    func theValueWins(_ shape: (rows: Int, columns: Int), _ shared: (mask: Bool, values: Bool)) {
        everyKernelSet { theValueWins($0, shape, shared) }
    }

    private func theValueWins<K: KernelSet>(_: K.Type, _ shape: (rows: Int, columns: Int), _ shared: (mask: Bool, values: Bool)) {
        var random = SplitMix(state: 4)
        let (rows, columns) = shape, count = rows * columns
        let mask = random.mask(shared.mask ? columns : count)
        var x: [K.Scalar] = random.numbers(count), values: [K.Scalar] = random.numbers(shared.values ? columns : count)
        func m(_ i: Int) -> Int { shared.mask ? i % columns : i }
        func v(_ i: Int) -> Int { shared.values ? i % columns : i }
        // NaN wherever nobody should look.
        for i in 0..<count where mask[m(i)] != 0 { x[i] = .nan }
        for i in 0..<values.count where !(0..<count).contains(where: { v($0) == i && mask[m($0)] != 0 }) { values[i] = .nan }

        let y = guarded([K.Scalar](repeating: .nan, count: count)) {
            K.select(x, mask: mask, maskStride: shared.mask ? 0 : columns, values: values, valueStride: shared.values ? 0 : columns,
                     into: $0, rows: rows, columns: columns)
        }
        #expect(y == (0..<count).map { mask[m($0)] != 0 ? values[v($0)] : x[$0] })
        let inPlace = guarded(x) {
            K.select($0, mask: mask, maskStride: shared.mask ? 0 : columns, values: values, valueStride: shared.values ? 0 : columns,
                     into: $0, rows: rows, columns: columns)
        }
        #expect(y == inPlace)

        // Backward: exactly 0 where set; the value gets what was there, summed over the rows that share it.
        let incoming: [K.Scalar] = random.numbers(count), before: [K.Scalar] = random.numbers(values.count)
        var g: [K.Scalar] = []
        let valueGradient = guarded(before) { valueGradient in
            g = guarded(incoming) {
                K.selectGradient($0, mask: mask, maskStride: shared.mask ? 0 : columns, valueGradient: valueGradient,
                                 valueStride: shared.values ? 0 : columns, rows: rows, columns: columns)
            }
        }
        #expect(g == (0..<count).map { mask[m($0)] != 0 ? 0 : incoming[$0] })
        for i in 0..<values.count {
            let moved = (0..<count).filter { v($0) == i && mask[m($0)] != 0 }.reduce(Double(before[i])) { $0 + Double(incoming[$1]) }
            expectClose(valueGradient[i], moved, ulps: Double(rows + 1), scale: Double(rows + 1))
        }
    }

    @Test func aSetGradientIsZeroEvenIfItWasNaN() {
        func check<K: KernelSet>(_: K.Type) {
            let g = guarded([K.Scalar](repeating: .nan, count: 20)) {
                K.selectGradient($0, mask: [UInt8](repeating: 1, count: 20), maskStride: 0, valueGradient: nil, valueStride: 0, rows: 1, columns: 20)
            }
            #expect(g.allSatisfy { $0 == 0 })
        }
        everyKernelSet { check($0) }
    }
}
