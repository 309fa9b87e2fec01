// The registers that `Lanes` stands for: of 512 bits where the target has AVX-512, of 256 elsewhere, which a processor without them takes in
// two halves.

#if CAUSAL_AVX512
extension SIMD16: Lanes where Scalar == Float {
    @inline(__always) public static var registers: Int { 32 }
    @inline(__always) public func adding(_ a: Self, times b: Self) -> Self {
        #if CAUSAL_FMA
        addingProduct(a, b)
        #else
        self + a * b
        #endif
    }
    @inline(__always) public func replacing(with other: Self, whereLess a: Self, than b: Self) -> Self { replacing(with: other, where: a .< b) }
    @inline(__always) public func replacing(with other: Self, whereNotPositive a: Self) -> Self { replacing(with: other, where: a .<= 0) }
    @inline(__always) public func replacing(with other: Self, where a: Self, is b: Self) -> Self { replacing(with: other, where: a .== b) }
    @inline(__always) public func timesTwo(toThe shifted: Self) -> Self {
        let power = unsafeBitCast(shifted, to: SIMD16<UInt32>.self) &<< 23
        return unsafeBitCast(unsafeBitCast(self, to: SIMD16<UInt32>.self) &+ power, to: Self.self)
    }
    @inline(__always) public func total() -> Float {
        let eight = lowHalf + highHalf, four = eight.lowHalf + eight.highHalf, two = four.lowHalf + four.highHalf
        return two[0] + two[1]
    }
    @inline(__always) public func squares(addedTo sums: SIMD8<Double>) -> SIMD8<Double> {
        let low = SIMD8<Double>(lowHalf), high = SIMD8<Double>(highHalf)
        return sums + low * low + high * high
    }
}

extension SIMD8: Lanes where Scalar == Double {
    @inline(__always) public static var registers: Int { 32 }
    @inline(__always) public func adding(_ a: Self, times b: Self) -> Self {
        #if CAUSAL_FMA
        addingProduct(a, b)
        #else
        self + a * b
        #endif
    }
    @inline(__always) public func replacing(with other: Self, whereLess a: Self, than b: Self) -> Self { replacing(with: other, where: a .< b) }
    @inline(__always) public func replacing(with other: Self, whereNotPositive a: Self) -> Self { replacing(with: other, where: a .<= 0) }
    @inline(__always) public func replacing(with other: Self, where a: Self, is b: Self) -> Self { replacing(with: other, where: a .== b) }
    @inline(__always) public func timesTwo(toThe shifted: Self) -> Self {
        let power = unsafeBitCast(shifted, to: SIMD8<UInt64>.self) &<< 52
        return unsafeBitCast(unsafeBitCast(self, to: SIMD8<UInt64>.self) &+ power, to: Self.self)
    }
    @inline(__always) public func total() -> Double {
        let four = lowHalf + highHalf, two = four.lowHalf + four.highHalf
        return two[0] + two[1]
    }
    @inline(__always) public func squares(addedTo sums: SIMD8<Double>) -> SIMD8<Double> {
        sums + self * self
    }
}
#else
extension SIMD8: Lanes where Scalar == Float {
    @inline(__always) public static var registers: Int { 16 }
    @inline(__always) public func adding(_ a: Self, times b: Self) -> Self {
        #if CAUSAL_FMA
        addingProduct(a, b)
        #else
        self + a * b
        #endif
    }
    @inline(__always) public func replacing(with other: Self, whereLess a: Self, than b: Self) -> Self { replacing(with: other, where: a .< b) }
    @inline(__always) public func replacing(with other: Self, whereNotPositive a: Self) -> Self { replacing(with: other, where: a .<= 0) }
    @inline(__always) public func replacing(with other: Self, where a: Self, is b: Self) -> Self { replacing(with: other, where: a .== b) }
    @inline(__always) public func timesTwo(toThe shifted: Self) -> Self {
        let power = unsafeBitCast(shifted, to: SIMD8<UInt32>.self) &<< 23
        return unsafeBitCast(unsafeBitCast(self, to: SIMD8<UInt32>.self) &+ power, to: Self.self)
    }
    @inline(__always) public func total() -> Float {
        let four = lowHalf + highHalf, two = four.lowHalf + four.highHalf
        return two[0] + two[1]
    }
    @inline(__always) public func squares(addedTo sums: SIMD8<Double>) -> SIMD8<Double> {
        let wide = SIMD8<Double>(self)
        return sums + wide * wide
    }
}

extension SIMD4: Lanes where Scalar == Double {
    @inline(__always) public static var registers: Int { 16 }
    @inline(__always) public func adding(_ a: Self, times b: Self) -> Self {
        #if CAUSAL_FMA
        addingProduct(a, b)
        #else
        self + a * b
        #endif
    }
    @inline(__always) public func replacing(with other: Self, whereLess a: Self, than b: Self) -> Self { replacing(with: other, where: a .< b) }
    @inline(__always) public func replacing(with other: Self, whereNotPositive a: Self) -> Self { replacing(with: other, where: a .<= 0) }
    @inline(__always) public func replacing(with other: Self, where a: Self, is b: Self) -> Self { replacing(with: other, where: a .== b) }
    @inline(__always) public func timesTwo(toThe shifted: Self) -> Self {
        let power = unsafeBitCast(shifted, to: SIMD4<UInt64>.self) &<< 52
        return unsafeBitCast(unsafeBitCast(self, to: SIMD4<UInt64>.self) &+ power, to: Self.self)
    }
    @inline(__always) public func total() -> Double {
        let two = lowHalf + highHalf
        return two[0] + two[1]
    }
    @inline(__always) public func squares(addedTo sums: SIMD8<Double>) -> SIMD8<Double> {
        SIMD8(lowHalf: sums.lowHalf + self * self, highHalf: sums.highHalf)
    }
}
#endif
