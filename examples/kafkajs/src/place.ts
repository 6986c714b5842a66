/** Places CUSTOMERS bookings of one slot, and prints each reply as a line of JSON. */

import { randomUUID } from "node:crypto";

import { BookingSystem } from "./bookingSystem";
import type { BookingPlaceBookingV1 } from "./messages/booking.PlaceBooking.v1";

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}

function placeBooking(customer: string): BookingPlaceBookingV1 {
  return {
    booking_id: randomUUID(),
    offering_id: setting("OFFERING_ID"),
    starts_at: setting("STARTS_AT"),
    customer: { id: customer, name: "Ada Moreno", email: `${customer}@example.com` },
    payment: { method: "card", payment_method: "pm_card_visa" },
    actor: { kind: "customer", id: customer },
  };
}

async function main(): Promise<void> {
  const system = await BookingSystem.open(setting("KAFKA_BOOTSTRAP_SERVERS").split(","), "/kafkajs-example");
  try {
    const customers = Array.from({ length: Number(setting("CUSTOMERS")) }, (_, number) => `customer-${number}`);
    for (const reply of await system.placeAll(customers.map(placeBooking))) console.log(JSON.stringify(reply));
  } finally {
    await system.close();
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
